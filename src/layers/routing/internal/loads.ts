import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Background } from "../../../services/base/Background.ts"
import type { KvError } from "../../../services/kv/Kv.ts"
import type { Settings } from "../../../services/settings/Settings.ts"
import type { Entry, Observation, Stamp } from "../../../services/store/model/Entry.ts"
import type { Stamper } from "../../../services/store/Stamper.ts"
import { entryOf, type Loaded, StoreError } from "../../../services/store/Store.ts"
import type { Address, Answer, Lease, ReadPath } from "../../../services/tiers/ReadPath.ts"
import type { makeFillAdmission } from "./fillAdmission.ts"

/**
 * A loader's fill is not a write: what it brings is kept only while nothing was written to the key, and none of its
 * tags invalidated, since it began. KV cannot compare and swap; where a write slipped in between the check and the
 * fill's put, the put is followed by what the write left.
 */
export const makeLoads = (
  readPath: ReadPath["Type"],
  settings: Settings["Type"],
  stamper: Stamper["Type"],
  write: (address: Address, entry: Entry | undefined, stamp: Stamp) => Effect.Effect<void, KvError>,
  isAdmitted: ReturnType<typeof makeFillAdmission>
) => {
  const loaded = (observation: Observation, keep: boolean): Answer => ({ observation, tier: "loader", keep })

  const store = (address: Address, entry: Entry, lease: Lease): Effect.Effect<void> =>
    Effect.gen(function* () {
      if (!(yield* isAdmitted(address, entry)) || lease.overtaken(entry.tags)) return
      yield* write(address, entry, entry.stamp)
      if (!lease.overtaken(entry.tags)) return
      const left = lease.leftBehind()
      if (left === undefined) return
      const stamp = left.entry?.stamp ?? stamper.next(yield* Clock.currentTimeMillis)
      yield* write(address, left.entry, stamp)
    }).pipe(Effect.catchAll((error) => Effect.logWarning("a loaded value could not be stored", error)))

  return {
    leased: <E, R>(
      address: Address,
      load: Effect.Effect<Option.Option<Loaded>, E, R>
    ): Effect.Effect<Answer, E | StoreError, R> =>
      Effect.flatMap(Clock.currentTimeMillis, (started) => {
        const stamp = stamper.next(started)
        const lease = readPath.lease(address, stamp)
        const timed = Effect.timeoutFail(load, {
          duration: settings.loadDeadline,
          onTimeout: () => new StoreError({ operation: "get", reason: "LoadFailed" })
        })
        return Effect.zip(timed, Clock.currentTimeMillis).pipe(
          Effect.tapErrorCause(() => Effect.sync(lease.release)),
          Effect.onInterrupt(() => Effect.sync(lease.release)),
          Effect.flatMap(([found, now]) => {
            if (Option.isNone(found)) {
              const keep = !lease.overtaken([])
              lease.release()
              return Effect.succeed(loaded({ entry: undefined, readAt: now, final: true }, keep))
            }
            const { value, ...options } = found.value
            const entry = entryOf(address.collection, value, options, stamp, now, now - started)
            const answer = loaded({ entry, readAt: now }, !lease.overtaken(entry.tags))
            if (!answer.keep) {
              lease.release()
              return Effect.succeed(answer)
            }
            return Effect.flatMap(Background, (background) =>
              Effect.as(
                background.run(Effect.ensuring(store(address, entry, lease), Effect.sync(lease.release))),
                answer
              )
            )
          })
        )
      })
  }
}
