import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Frame from "../../../services/compression/model/Frame.ts"
import type { Kv, KvError } from "../../../services/kv/Kv.ts"
import * as Generation from "../../../services/snapshots/model/Generation.ts"
import * as Manifest from "../../../services/snapshots/model/Manifest.ts"

/** What one of the two keys of a shard holds: a generation, or a snapshot of the first format, which is number 0. */
export type Slot =
  | ({ readonly _tag: "Generation" } & Generation.Decoded)
  | ({ readonly _tag: "Manifest" } & Manifest.Decoded)

export const sequenceOf = (slot: Slot): number => (slot._tag === "Generation" ? slot.generation.sequence : 0)

/** Segments that a slot needs, or knows to be needed by none. */
export const segmentsIn = (slot: Slot): ReadonlyArray<Generation.SegmentName> =>
  slot._tag === "Generation"
    ? [...slot.generation.runs.flat(), ...slot.generation.superseded]
    : [...slot.manifest.segments, ...slot.manifest.superseded]

/** Two generations of each shard: the newest, and the one before it, which the next one replaces. */
export const make = (kv: Kv["Type"]) => {
  const read = (key: string): Effect.Effect<Either.Either<Slot, Frame.FrameError> | undefined, KvError> =>
    Effect.map(kv.get(key), Option.match({ onNone: () => undefined, onSome: ({ value }) => decoded(value) }))

  return {
    /** Both of them, in no order. Fails when one cannot be read; one that is damaged is a Left. */
    both: (shard: string) =>
      Effect.map(Effect.all([read(keyOf(shard, 0)), read(keyOf(shard, 1))], { concurrency: "unbounded" }), (slots) =>
        slots.flatMap((slot) => (slot === undefined ? [] : [slot]))
      ),
    put: (shard: string, sequence: number, value: Uint8Array): Effect.Effect<void, KvError> =>
      kv.put(keyOf(shard, sequence % 2), value)
  }
}

/** The newest of those that can be read. */
export const newestOf = (slots: ReadonlyArray<Slot>): Slot | undefined =>
  [...slots].sort((a, b) => sequenceOf(b) - sequenceOf(a))[0]

const keyOf = (shard: string, slot: number): string => `~~snap/${encodeURIComponent(shard)}${slot === 0 ? "" : "/1"}`

const decoded = (value: Uint8Array): Either.Either<Slot, Frame.FrameError> =>
  Either.flatMap(Frame.split(value), (frames) => {
    const generation = Generation.decode(frames)
    if (Either.isRight(generation)) return Either.right({ _tag: "Generation", ...generation.right })
    if (generation.left.reason !== "Foreign") return Either.left(generation.left)
    return Either.map(Manifest.decode(frames), (manifest): Slot => ({ _tag: "Manifest", ...manifest }))
  })
