import * as Effect from "effect/Effect"
import type * as Frame from "../../../services/compression/model/Frame.ts"
import type { ShardImage } from "../../../services/durable/Shard.ts"
import type { KvError } from "../../../services/kv/Kv.ts"
import type { SegmentName } from "../../../services/snapshots/model/Generation.ts"
import * as Segment from "../../../services/snapshots/model/Segment.ts"
import { liveFrames, noTags, rowsIn } from "./snapshotFrames.ts"
import type { Slot } from "./snapshotSlots.ts"

type Failure = KvError | Frame.FrameError

/**
 * One frame after the other, the newest first, so that no older version of a row is seen before a newer one. What is
 * read of a segment is given away at once.
 *
 * @param read what it gives undefined for is left out
 */
export const eachPart = <E, R>(
  slot: Slot,
  framesOf: (segment: SegmentName) => Effect.Effect<ReadonlyArray<Uint8Array>, Failure>,
  take: (part: ShardImage) => Effect.Effect<void, E, R>,
  read: <A>(effect: Effect.Effect<A, Failure>) => Effect.Effect<A | undefined, E>
): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    const takeFrame = (frame: Uint8Array) => takePart(Effect.suspend(() => Segment.decode(frame)))
    const takePart = (part: Effect.Effect<ShardImage, Failure>) =>
      Effect.flatMap(read(part), (found) => (found === undefined ? Effect.void : take(found)))
    for (const frame of slot.inline) yield* takeFrame(frame)
    if (slot._tag === "Generation") {
      for (const run of slot.generation.runs.toReversed()) {
        for (const segment of run) for (const frame of (yield* read(framesOf(segment))) ?? []) yield* takeFrame(frame)
      }
      return
    }
    for (const segment of slot.manifest.segments) {
      const frames = yield* read(framesOf(segment))
      if (frames === undefined) continue
      for (const live of liveFrames(segment)) {
        const rows = Effect.suspend(() => rowsIn(frames, live))
        yield* takePart(Effect.map(rows, (found) => ({ rows: found, tags: noTags })))
      }
    }
  })
