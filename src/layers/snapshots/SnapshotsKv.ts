import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Frame from "../../services/compression/model/Frame.ts"
import type { ImageSource, ShardImage } from "../../services/durable/Shard.ts"
import { Kv, type KvError } from "../../services/kv/Kv.ts"
import * as Manifest from "../../services/snapshots/model/Manifest.ts"
import * as Segment from "../../services/snapshots/model/Segment.ts"
import { Snapshots, SnapshotsError } from "../../services/snapshots/Snapshots.ts"
import * as SnapshotFrames from "./internal/snapshotFrames.ts"
import * as SnapshotImage from "./internal/snapshotImage.ts"
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

  const held = SnapshotImage.makeHeld()

  /** What the next save builds on: the newest manifest, with the segments that a failed save has put since. */
  const known = new Map<string, Manifest.Manifest>()

  const newest = (shard: string) =>
    Effect.flatMap(
      kv.get(snapshotKey(shard)),
      Option.match({
        onNone: () => Effect.succeed(undefined),
        onSome: ({ value }) => Manifest.decode(value)
      })
    )

  /** A base that cannot be read is no base: everything is written anew. */
  const baseOf = (shard: string) =>
    Effect.suspend(() => {
      const base = known.get(shard)
      if (base !== undefined) return Effect.succeed({ base, cold: false })
      return Effect.match(newest(shard), {
        onFailure: () => ({ base: Manifest.empty, cold: true }),
        onSuccess: (found) => ({ base: found?.manifest ?? Manifest.empty, cold: true })
      })
    })

  const save = (shard: string, image: ImageSource, now: number) =>
    Effect.gen(function* () {
      const { base, cold } = yield* baseOf(shard)
      const { fresh, segments: kept, superseded } = Manifest.plan(base, image.summaries, now)
      const built: Array<Manifest.LocatedSegment> = []
      const remember = (unfinished: ReadonlyArray<Manifest.SupersededSegment>) =>
        known.set(shard, {
          segments: [...base.segments, ...built],
          superseded: [...base.superseded, ...unfinished]
        })
      const build = (groups: ReadonlyArray<ReadonlyArray<SnapshotFrames.Block>>) =>
        Effect.forEach(
          groups,
          (group) =>
            Effect.suspend(() => {
              const name = segments.nameOf(group, now)
              remember([{ ...name, since: now }])
              return Effect.map(segments.put(shard, name, group), () => {
                const frames = group.map(({ rows }) => rows)
                built.push(Manifest.locate(name, frames))
                remember([])
              })
            }),
          { discard: true }
        )

      const division = SnapshotFrames.makeDivision(inlineBytes, segmentBytes)
      image.only(fresh.map(({ id }) => id))
      yield* SnapshotFrames.encode(image, fresh, blockBytes, (block) => build(division.add(block)))
      const { groups, inline } = division.end()
      yield* build(groups)

      const named = [...kept, ...built, ...superseded]
      const orphans = cold && built.length > 0 ? yield* segments.orphans(shard, named, now) : []
      const remaining = yield* segments.forget(shard, superseded, now - keepMillis)
      const manifest = { segments: [...kept, ...built], superseded: [...remaining, ...orphans] }
      const marks = yield* Segment.encode({ rows: [], tags: image.tags })
      const value = yield* Manifest.encode(manifest, [marks, ...inline])
      yield* kv.put(snapshotKey(shard), value)
      known.set(shard, manifest)
    })

  const framesOf = (shard: string) => (segment: Manifest.LocatedSegment) =>
    Effect.flatMap(segments.get(shard, segment), Frame.split)

  const load = <E, R>(
    shard: string,
    take: (part: ShardImage) => Effect.Effect<void, E, R>
  ): Effect.Effect<boolean, SnapshotsError | E, R> =>
    Effect.gen(function* () {
      const found = yield* failing("load")(newest(shard))
      if (found === undefined) return false
      let tags = SnapshotFrames.noTags
      const give = (rows: ShardImage["rows"]) =>
        Effect.suspend(() => {
          const part = { rows, tags }
          tags = SnapshotFrames.noTags
          return take(part)
        })
      for (const frame of found.inline) {
        const image = yield* failing("load")(Effect.suspend(() => Segment.decode(frame)))
        if (image.tags.size > 0) tags = image.tags
        if (image.rows.length > 0) yield* give(image.rows)
      }
      for (const segment of found.manifest.segments) {
        const frames = yield* failing("load")(framesOf(shard)(segment))
        for (const live of SnapshotFrames.liveFrames(segment)) {
          yield* give(yield* failing("load")(SnapshotFrames.rowsIn(frames, live)))
        }
      }
      if (tags.size > 0) yield* give([])
      return true
    })

  const open = (shard: string) =>
    Effect.flatMap(newest(shard), (found) =>
      found === undefined
        ? Effect.succeed(undefined)
        : Effect.map(SnapshotImage.open(found, framesOf(shard), held), ({ find, tags }) => ({
            tags,
            find: (id: string) => failing("load")(find(id))
          }))
    )

  /** They lie in a frame of their own, behind the manifest's. */
  const marks = (shard: string): Effect.Effect<ShardImage["tags"], KvError | Frame.FrameError> =>
    Effect.flatMap(newest(shard), (found) =>
      found?.inline[0] === undefined
        ? Effect.succeed(SnapshotFrames.noTags)
        : Effect.map(Segment.decode(found.inline[0]), ({ tags }) => tags)
    )

  return {
    save: (shard, image, now) => failing("save")(save(shard, image, now)),
    load,
    open: (shard) => failing("load")(open(shard)),
    marks: (shard) => failing("load")(marks(shard))
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

const failing =
  (operation: SnapshotsError["operation"]) =>
  <A, R>(effect: Effect.Effect<A, KvError | Frame.FrameError, R>): Effect.Effect<A, SnapshotsError, R> =>
    Effect.mapError(effect, (cause) => new SnapshotsError({ operation, reason: reasonOf(cause), cause }))

const reasonOf = (cause: KvError | Frame.FrameError): SnapshotsError["reason"] => {
  if (cause._tag === "FrameError") return cause.reason === "TooLarge" ? "TooLarge" : "Damaged"
  return cause.reason === "RateLimited" || cause.reason === "DailyLimit" ? cause.reason : "Unavailable"
}
