import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Background } from "../../../services/base/Background.ts"
import type { DurableCache, Leased } from "../../../services/durable/DurableCache.ts"
import type { SettingsValues } from "../../../services/settings/Settings.ts"
import { zeroStamp } from "../../../services/store/model/Entry.ts"
import type { Stamper } from "../../../services/store/Stamper.ts"
import { entryOf, type Loaded, StoreError } from "../../../services/store/Store.ts"
import type { Address, Answer, ReadPath } from "../../../services/tiers/ReadPath.ts"
import type { makeFillAdmission } from "./fillAdmission.ts"
import type { makeParkedWrites } from "./parkedWrites.ts"
import type { makeShardWrites } from "./shardWrites.ts"

/**
 * One loader across all isolates: who misses asks the shard for the lease of the key. The fill is a write that counts
 * only while the lease holds. Without a lease, be it another's or that of a shard out of reach, what the load brings is
 * answered and kept nowhere: the shard may have what it would hide.
 */
export const makeShardLoads = (parts: {
  readonly durable: DurableCache["Type"]
  readonly writes: ReturnType<typeof makeShardWrites>
  readonly parked: ReturnType<typeof makeParkedWrites>
  readonly readPath: ReadPath["Type"]
  readonly settings: Pick<SettingsValues, "loadDeadline" | "durableDeadline">
  readonly stamper: Stamper["Type"]
  readonly isAdmitted: ReturnType<typeof makeFillAdmission>
}) => {
  const { isAdmitted } = parts
  const { durable, parked, readPath, settings, stamper, writes } = parts

  /** The shard does not know yet what is parked. */
  const leaseOf = ({ id }: Address, isReached: () => boolean): Effect.Effect<Leased> =>
    Effect.suspend(() =>
      parked.get(id) === undefined && isReached()
        ? Effect.catchAll(durable.lease(id, settings.loadDeadline), (error) =>
            Effect.as(Effect.logDebug("no lease from a shard out of reach", error), busy)
          )
        : Effect.succeed(busy)
    )

  /** Asks for the lease; whether a write of this isolate to the key ended meanwhile, which the reply may not know of. */
  const asking = (address: Address, isReached: () => boolean) =>
    Effect.flatMap(Clock.currentTimeMillis, (asked) => {
      const local = readPath.lease(address, zeroStamp)
      return Effect.ensuring(
        Effect.map(leaseOf(address, isReached), (leased) => ({ asked, leased, overtaken: local.overtaken([]) })),
        Effect.sync(local.release)
      )
    })

  const giveBack = (address: Address, leased: Leased): Effect.Effect<void> =>
    leased._tag === "Granted"
      ? Effect.flatMap(Background, (background) =>
          background.run(
            Effect.interruptible(Effect.timeout(durable.release(address.id, leased.lease), settings.durableDeadline))
          )
        )
      : Effect.void

  return {
    /** @param isReached whether the shard has just answered, as far as is known: no lease is asked of one that has not */
    leased: <E, R>(
      address: Address,
      load: Effect.Effect<Option.Option<Loaded>, E, R>,
      isReached: () => boolean
    ): Effect.Effect<Answer, E | StoreError, R> =>
      Effect.flatMap(asking(address, isReached), ({ asked, leased, overtaken }) => {
        if (leased._tag === "Found") {
          const observation = { entry: leased.entry, readAt: asked }
          return Effect.succeed<Answer>({ observation, tier: "durable", keep: !overtaken })
        }
        return Effect.flatMap(Clock.currentTimeMillis, (started) => {
          const stamp = stamper.next(started)
          const local = readPath.lease(address, stamp)
          const timed = Effect.timeoutFail(load, {
            duration: settings.loadDeadline,
            onTimeout: () => new StoreError({ operation: "get", reason: "LoadFailed" })
          })
          return timed.pipe(
            Effect.onError(() => giveBack(address, leased)),
            Effect.flatMap((found) =>
              Effect.flatMap(Clock.currentTimeMillis, (readAt): Effect.Effect<Answer> => {
                if (Option.isNone(found)) {
                  const keep = leased._tag === "Granted" && !overtaken && !local.overtaken([])
                  const absence: Answer = {
                    observation: { entry: undefined, readAt: asked, final: true },
                    tier: "loader",
                    keep
                  }
                  return Effect.as(giveBack(address, leased), absence)
                }
                const { value, ...options } = found.value
                const entry = entryOf(address.collection, value, options, stamp, readAt, readAt - started)
                const answer = (keep: boolean, version = stamp): Answer => ({
                  observation: { entry: { ...entry, stamp: version }, readAt },
                  tier: "loader",
                  keep: keep && !local.overtaken(entry.tags)
                })
                if (leased._tag !== "Granted") return Effect.succeed(answer(false))
                const { lease } = leased
                const { stamp: _, ...body } = entry
                return Effect.flatMap(isAdmitted(address, entry), (admitted) =>
                  Effect.map(
                    writes.fill({
                      id: address.id,
                      stamp,
                      body,
                      lease,
                      packed: address.collection.policy.packed ?? false,
                      ...(admitted ? {} : { ifWanted: true })
                    }),
                    (result) => {
                      if (!("version" in result) || result.outcome === "overtaken") return answer(false)
                      return result.outcome === "unwanted" ? answer(!overtaken) : answer(true, result.version)
                    }
                  )
                )
              })
            ),
            Effect.ensuring(Effect.sync(local.release))
          )
        })
      })
  }
}

const busy: Leased = { _tag: "Busy" }
