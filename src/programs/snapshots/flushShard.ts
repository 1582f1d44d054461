import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type ImageSource, Shard } from "../../services/durable/Shard.ts"
import { Snapshots, SnapshotsError } from "../../services/snapshots/Snapshots.ts"

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
    const save = (image: ImageSource, now: number) =>
      Effect.timeoutFail(snapshots.save(name, image, now), {
        duration: deadlineFor(image),
        onTimeout: () => new SnapshotsError({ operation: "save", reason: "Unavailable" })
      })
    const flush = Effect.gen(function* () {
      if (!shard.dirty()) return false
      const now = yield* Clock.currentTimeMillis
      yield* Effect.acquireUseRelease(
        Effect.sync(shard.capture),
        (capture) =>
          Effect.map(save(capture, now), () => {
            shard.clean(capture.mark)
          }),
        ({ close }) => Effect.sync(close)
      )
      return true
    })
    return alone.withPermits(1)(flush)
  })

const mebibyte = 1024 * 1024

/** A minute, and a second for each whole MiB; at most four minutes of the five that an alarm has for one step. */
const deadlineFor = ({ summaries }: ImageSource): Duration.Duration => {
  const bytes = summaries.reduce((sum, row) => sum + row.bytes, 0)
  return Duration.seconds(Math.min(240, 60 + Math.floor(bytes / mebibyte)))
}
