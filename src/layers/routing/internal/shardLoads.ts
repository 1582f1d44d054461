import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Background } from "../../../services/base/Background.ts"
import type { DurableCache, Leased } from "../../../services/durable/DurableCache.ts"
import type { Settings } from "../../../services/settings/Settings.ts"
import { zeroStamp } from "../../../services/store/model/Entry.ts"
import type { Stamper } from "../../../services/store/Stamper.ts"
import { entryOf, type Loaded, StoreError } from "../../../services/store/Store.ts"
import type { Address, Answer, ReadPath } from "../../../services/tiers/ReadPath.ts"
import type { makeShardWrites } from "./shardWrites.ts"

/**
 * One loader across all isolates: who misses asks the shard for the lease of the key. The fill is a write that counts
 * only while the lease holds. Without a shard to ask, the load runs and stays in this isolate's tiers.
 */
export const makeShardLoads = (
  durable: DurableCache["Type"],
  writes: ReturnType<typeof makeShardWrites>,
  readPath: ReadPath["Type"],
  settings: Settings["Type"],
  stamper: Stamper["Type"]
) => {
  const leaseOf = (address: Address): Effect.Effect<Leased | undefined> =>
    durable.lease(address.id, settings.loadDeadline).pipe(
      Effect.timeout(Duration.sum(settings.loadDeadline, settings.durableDeadline)),
      Effect.catchAll((error) => Effect.as(Effect.logDebug("no lease from a shard out of reach", error), undefined))
    )

  /** Asks for the lease; whether a write of this isolate to the key ended meanwhile, which the reply may not know of. */
  const asking = (address: Address) =>
    Effect.flatMap(Clock.currentTimeMillis, (asked) => {
      const local = readPath.lease(address, zeroStamp)
      return Effect.ensuring(
        Effect.map(leaseOf(address), (leased) => ({ asked, leased, overtaken: local.overtaken([]) })),
        Effect.sync(local.release)
      )
    })

  const giveBack = (address: Address, leased: Leased | undefined): Effect.Effect<void> =>
    leased?._tag === "Granted"
      ? Effect.flatMap(Background, (background) =>
          background.run(
            Effect.interruptible(Effect.timeout(durable.release(address.id, leased.lease), settings.durableDeadline))
          )
        )
      : Effect.void

  return {
    leased: <E, R>(
      address: Address,
      load: Effect.Effect<Option.Option<Loaded>, E, R>
    ): Effect.Effect<Answer, E | StoreError, R> =>
      Effect.flatMap(asking(address), ({ asked, leased, overtaken }) => {
        if (leased?._tag === "Found") {
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
                  const keep = leased?._tag !== "Busy" && !overtaken && !local.overtaken([])
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
                if (leased?._tag !== "Granted") return Effect.succeed(answer(leased === undefined && !overtaken))
                const { stamp: _, ...body } = entry
                const firstUntil = readAt + Duration.toMillis(settings.durableDeadline)
                return Effect.map(
                  writes.apply([{ id: address.id, stamp, body, lease: leased.lease, firstUntil }]),
                  ([result]) =>
                    result !== undefined && "version" in result
                      ? answer(result.outcome !== "overtaken", result.version)
                      : answer(!overtaken)
                )
              })
            ),
            Effect.ensuring(Effect.sync(local.release))
          )
        })
      })
  }
}
