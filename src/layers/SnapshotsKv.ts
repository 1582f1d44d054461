import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { FrameError } from "../services/Frame.ts"
import { Kv, type KvError } from "../services/Kv.ts"
import * as Manifest from "../services/Manifest.ts"
import * as Segment from "../services/Segment.ts"
import type { ShardImage } from "../services/Shard.ts"
import { Snapshots, SnapshotsError } from "../services/Snapshots.ts"
import * as SnapshotFrames from "./internal/snapshotFrames.ts"
import * as SnapshotSegments from "./internal/snapshotSegments.ts"

export interface SnapshotsKvOptions {
  /** Compressed bytes of rows that lie in the snapshot's own KV value. Default 8 MiB (bench/packing.ts). */
  readonly inlineBytes?: number
  /** Compressed bytes of one segment. Default 8 MiB. */
  readonly segmentBytes?: number
  /** Bytes before compression of what is compressed together, and held twice meanwhile. Default 4 MiB. */
  readonly blockBytes?: number
  /** The most bytes put under one key. Default 24 MiB. */
  readonly partBytes?: number
  /** How long a superseded segment stays for readers of an older manifest. Default 1 day. */
  readonly keepSuperseded?: Duration.DurationInput
}

const mebibyte = 1024 * 1024

/** Snapshots under `~~snap/<shard>`, and segments, when it needs any, under `~~seg/<shard>/`. */
export const make = (kv: Context.Tag.Service<Kv>, options: SnapshotsKvOptions = {}): Context.Tag.Service<Snapshots> => {
  const {
    inlineBytes = 8 * mebibyte,
    segmentBytes = 8 * mebibyte,
    blockBytes = 4 * mebibyte,
    partBytes = 24 * mebibyte,
    keepSuperseded = Duration.days(1)
  } = options
  const keepMillis = Duration.toMillis(keepSuperseded)
  const segments = SnapshotSegments.make(kv, partBytes)

  /** What the next save builds on: the newest manifest, with the segments that a failed save has put since. */
  const known = new Map<string, Manifest.Manifest>()

  /** A base that cannot be read is no base: everything is written anew. */
  const baseOf = (shard: string) =>
    Effect.suspend(() => {
      const base = known.get(shard)
      if (base !== undefined) return Effect.succeed({ base, cold: false })
      return kv.get(snapshotKey(shard)).pipe(
        Effect.map((found) =>
          Option.isNone(found)
            ? Manifest.empty
            : Either.match(Manifest.decode(found.value.value), {
                onLeft: () => Manifest.empty,
                onRight: ({ manifest }) => manifest
              })
        ),
        Effect.orElseSucceed(() => Manifest.empty),
        Effect.map((base) => ({ base, cold: true }))
      )
    })

  const save = (shard: string, image: ShardImage, now: number) =>
    Effect.gen(function* () {
      const { base, cold } = yield* baseOf(shard)
      const { fresh, segments: kept, superseded } = Manifest.plan(base, image.rows, now)
      const blocks = yield* SnapshotFrames.encode(fresh, blockBytes)
      const { groups, inline } = SnapshotFrames.divide(blocks, inlineBytes, segmentBytes)

      const built: Array<Manifest.LocatedSegment> = []
      const remember = (unfinished: ReadonlyArray<Manifest.SupersededSegment>) =>
        known.set(shard, {
          segments: [...base.segments, ...built],
          superseded: [...base.superseded, ...unfinished]
        })
      for (const group of groups) {
        const name = segments.nameOf(group, now)
        remember([{ ...name, since: now }])
        yield* segments.put(shard, name, group)
        built.push(
          Manifest.locate(
            name,
            group.flatMap(({ rows }) => rows)
          )
        )
        remember([])
      }

      const named = [...kept, ...built, ...superseded]
      const orphans = cold && groups.length > 0 ? yield* segments.orphans(shard, named, now) : []
      const remaining = yield* segments.forget(shard, superseded, now - keepMillis)
      const manifest = { segments: [...kept, ...built], superseded: [...remaining, ...orphans] }
      const marks = yield* Segment.encode({ rows: [], tags: image.tags })
      const value = yield* Manifest.encode(manifest, [marks, ...inline])
      yield* kv.put(snapshotKey(shard), value)
      known.set(shard, manifest)
    })

  const load = (shard: string) =>
    Effect.gen(function* () {
      const found = yield* kv.get(snapshotKey(shard))
      if (Option.isNone(found)) return undefined
      const { inline, manifest } = yield* Manifest.decode(found.value.value)
      const { rows, tags } = yield* SnapshotFrames.decode(inline)
      for (const segment of manifest.segments) {
        const image = yield* Effect.flatMap(segments.get(shard, segment), SnapshotFrames.decodeValue)
        for (const located of segment.live) rows.push(yield* SnapshotFrames.rowAt(image.rows, located))
      }
      return { rows, tags }
    })

  /** They lie in a frame of their own, behind the manifest's. */
  const marks = (shard: string): Effect.Effect<ShardImage["tags"], KvError | FrameError> =>
    Effect.gen(function* () {
      const found = yield* kv.get(snapshotKey(shard))
      if (Option.isNone(found)) return new Map()
      const { inline } = yield* Manifest.decode(found.value.value)
      return (yield* SnapshotFrames.decode(inline.slice(0, 1))).tags
    })

  return {
    save: (shard, image, now) => Effect.mapError(save(shard, image, now), errorOf("save")),
    load: (shard) => Effect.mapError(load(shard), errorOf("load")),
    marks: (shard) => Effect.mapError(marks(shard), errorOf("load"))
  }
}

export const layer: Layer.Layer<Snapshots, never, Kv> = Layer.effect(
  Snapshots,
  Effect.map(Kv, (kv) => make(kv))
)

export const layerWith = (options: SnapshotsKvOptions): Layer.Layer<Snapshots, never, Kv> =>
  Layer.effect(
    Snapshots,
    Effect.map(Kv, (kv) => make(kv, options))
  )

const snapshotKey = (shard: string): string => `~~snap/${encodeURIComponent(shard)}`

const errorOf =
  (operation: SnapshotsError["operation"]) =>
  (cause: KvError | FrameError): SnapshotsError =>
    new SnapshotsError({ operation, reason: reasonOf(cause), cause })

const reasonOf = (cause: KvError | FrameError): SnapshotsError["reason"] => {
  if (cause._tag === "FrameError") return "Damaged"
  return cause.reason === "RateLimited" || cause.reason === "DailyLimit" ? cause.reason : "Unavailable"
}
