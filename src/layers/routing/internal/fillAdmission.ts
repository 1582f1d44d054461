import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { prices } from "../../../services/ledger/model/Prices.ts"
import type { SettingsValues } from "../../../services/settings/Settings.ts"
import type { Entry } from "../../../services/store/model/Entry.ts"
import type { EdgeCache } from "../../../services/tiers/EdgeCache.ts"
import type { Address } from "../../../services/tiers/ReadPath.ts"
import { makeRecent } from "../../base/recent.ts"
import { markEntry, withinEdge } from "../../packing/nearPages.ts"

/** Ids that an isolate remembers to have loaded. */
const heldIds = 20_000

/** The longest that a location is asked to remember one. Milliseconds. */
const longestMillis = 7 * 86_400_000

/**
 * Whether a loader's fill is stored. A cache that stores every miss pays a write for what a crawler asks for once, so a
 * collection whose policy says `fills: "admitted"` stores what is loaded for a second time within its life, as far as
 * this isolate and the edge cache of its location know, and what took so long that its milliseconds are worth a write.
 * What is to be there when its loader fails (`graceFor`) is stored at once.
 */
export const makeFillAdmission = (
  edge: EdgeCache["Type"] | undefined,
  settings: Pick<SettingsValues, "edgeOperations" | "edgeDeadline" | "prefetchLatencyUsd">
) => {
  const loaded = makeRecent<string, number>(heldIds)
  const within = withinEdge(settings)

  return (address: Address, { expiresAt, loadMillis }: Entry): Effect.Effect<boolean> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { millis, policy } = address.collection
      if (policy.fills === "all" || millis.graceFor > 0) return Effect.succeed(true)
      if (loadMillis * settings.prefetchLatencyUsd > prices.kvWrites[0]) return Effect.succeed(true)
      const until = Math.min(expiresAt, now + longestMillis)
      const isKnown = now < (loaded.get(address.id) ?? 0)
      loaded.put(address.id, until)
      if (isKnown || edge === undefined || !edge.enabled) return Effect.succeed(isKnown)
      const mark = `~loaded/${address.id}`
      return Effect.flatMap(within(edge.match(mark), Option.none()), (found) =>
        Option.isSome(found)
          ? Effect.succeed(true)
          : Effect.as(within(edge.put(mark, { entry: markEntry, readAt: now }, until), undefined), false)
      )
    })
}
