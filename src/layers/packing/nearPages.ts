import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Background, spend } from "../../services/base/Background.ts"
import type { SettingsValues } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { defaultContentType, type Entry, zeroStamp } from "../../services/store/model/Entry.ts"
import type { EdgeCache } from "../../services/tiers/EdgeCache.ts"
import { heldMillis, lateViewMillis } from "./internal/packedState.ts"

/**
 * The longest a location's copy of a page may answer, whatever the policy says: an isolate lays its own writes over
 * what it reads for so long, and KV may be behind. Milliseconds.
 */
const longestMillis = heldMillis - lateViewMillis

/** A call of the edge cache: whatever goes wrong, takes too long or is one too many for the event is `otherwise`. */
export const withinEdge =
  (settings: Pick<SettingsValues, "edgeOperations" | "edgeDeadline">) =>
  <A, E>(effect: Effect.Effect<A, E>, otherwise: A): Effect.Effect<A> =>
    Effect.flatMap(Background, (background) =>
      spend(background, "edge", settings.edgeOperations)
        ? Effect.catchAll(Effect.timeout(effect, settings.edgeDeadline), () => Effect.succeed(otherwise))
        : Effect.succeed(otherwise)
    )

/** What the edge cache keeps that is no entry of a collection. */
export const markEntry: Entry = {
  value: new Uint8Array(0),
  contentType: defaultContentType,
  tags: [],
  stamp: zeroStamp,
  expiresAt: Number.POSITIVE_INFINITY,
  loadMillis: 0
}

/** Pages in the edge cache of this location: one read of KV serves all isolates there for the collection's edge time. */
export const makeNearPages = (
  edge: EdgeCache["Type"],
  settings: Pick<SettingsValues, "edgeOperations" | "edgeDeadline">
) => {
  const idOf = (collection: Collection, name: string): string => `~page/${collection.name}/${name}`

  const ttlOf = ({ millis }: Collection): number => (edge.enabled ? Math.min(millis.edgeTtl, longestMillis) : 0)

  const within = withinEdge(settings)

  return {
    /** The bytes of a page and when KV gave them, if that is not too long ago; milliseconds since the epoch. */
    match: (collection: Collection, name: string): Effect.Effect<{ value: Uint8Array; readAt: number } | undefined> => {
      const ttl = ttlOf(collection)
      if (ttl <= 0) return Effect.succeed(undefined)
      return Effect.zipWith(
        within(edge.match(idOf(collection, name)), Option.none()),
        Clock.currentTimeMillis,
        (found, now) => {
          const observation = Option.getOrUndefined(found)
          return observation?.entry !== undefined && now < observation.readAt + ttl
            ? { value: observation.entry.value, readAt: observation.readAt }
            : undefined
        }
      )
    },
    put: (collection: Collection, name: string, value: Uint8Array, readAt: number): Effect.Effect<void> => {
      const ttl = ttlOf(collection)
      if (ttl <= 0) return Effect.void
      return Effect.flatMap(Background, (background) =>
        background.run(
          within(edge.put(idOf(collection, name), { entry: { ...markEntry, value }, readAt }, readAt + ttl), undefined)
        )
      )
    }
  }
}
