import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Shard } from "../../services/durable/Shard.ts"
import { Snapshots, SnapshotsError } from "../../services/snapshots/Snapshots.ts"

/** Below the five minutes that an alarm has for one step. */
const deadline = Duration.minutes(4)

/**
 * Writes a snapshot of the shard if anything in it changed since the last good one; whether it did. Never concurrent
 * with itself: who comes while one is under way waits, and then mostly finds the shard clean. When it fails, or its
 * deadline passes, the shard is as dirty as before. What changes while it saves stays dirty for the next one.
 */
export const make = (name: string) =>
  Effect.gen(function* () {
    const shard = yield* Shard
    const snapshots = yield* Snapshots
    const alone = yield* Effect.makeSemaphore(1)
    const flush = Effect.gen(function* () {
      if (!shard.dirty()) return false
      const now = yield* Clock.currentTimeMillis
      yield* Effect.timeoutFail(snapshots.save(name, shard.source, now), {
        duration: deadline,
        onTimeout: () => new SnapshotsError({ operation: "save", reason: "Unavailable" })
      })
      return true
    })
    return alone.withPermits(1)(flush)
  })
