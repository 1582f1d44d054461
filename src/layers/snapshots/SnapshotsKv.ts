import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Frame from "../../services/compression/model/Frame.ts"
import type { SavedGeneration } from "../../services/durable/DurableCache.ts"
import type { ImageSource, ShardImage } from "../../services/durable/Shard.ts"
import { Kv, type KvError } from "../../services/kv/Kv.ts"
import * as Generation from "../../services/snapshots/model/Generation.ts"
import { Snapshots, SnapshotsError } from "../../services/snapshots/Snapshots.ts"
import * as SnapshotBase from "./internal/snapshotBase.ts"
import * as SnapshotFrames from "./internal/snapshotFrames.ts"
import * as SnapshotImage from "./internal/snapshotImage.ts"
import { eachPart } from "./internal/snapshotParts.ts"
import * as SnapshotSegments from "./internal/snapshotSegments.ts"
import * as SnapshotSlots from "./internal/snapshotSlots.ts"

export interface SnapshotsKvOptions {
  /** A shard that packs into so many bytes is written whole with every snapshot. Default 256 KiB (bench/packing.ts). */
  readonly wholeBytes?: number
  /** Packed bytes of changes that lie inline; beyond, they become a segment of their own. Default 8 MiB. */
  readonly inlineBytes?: number
  /** The share of the base that the changes over it may come to. Default a quarter. */
  readonly changesShare?: number
  /** Packed bytes of one segment. Default 8 MiB. */
  readonly segmentBytes?: number
  /** Bytes before compression of what is compressed together, and held twice meanwhile. Nobody else has a turn while it is. Default 1 MiB. */
  readonly blockBytes?: number
  /** The most bytes put under one key. Default 24 MiB. */
  readonly partBytes?: number
  /** How long a superseded segment stays for readers of an older generation. Default 1 day. */
  readonly keepSuperseded?: Duration.DurationInput
}

const mebibyte = 1024 * 1024

/** What is captured at one moment is in memory until it is packed: so many times what it may pack into. */
const packing = 3

/**
 * Of a base that is older, a tombstone or a mark that ends a part of it could be gone by now: both are kept for a day
 * longer.
 */
const baseMillis = Duration.toMillis(Duration.days(7))

/** What a save leaves in the shard for the next one. */
interface Saved {
  readonly generation: Generation.Generation
  /** Milliseconds since the epoch. */
  readonly at?: number
}

/** When the last snapshot of a shard was written, milliseconds since the epoch. */
export const savedAt = (source: Pick<ImageSource, "saved">): number | undefined =>
  (source.saved() as Saved | undefined)?.at

/** Generations under `~~snap/<shard>` and `~~snap/<shard>/1`, in turn; segments of bases under `~~seg/<shard>/`. */
export const make = (kv: Context.Tag.Service<Kv>, options: SnapshotsKvOptions = {}): Context.Tag.Service<Snapshots> => {
  const {
    wholeBytes = 256 * 1024,
    inlineBytes = 8 * mebibyte,
    changesShare = 1 / 4,
    segmentBytes = 8 * mebibyte,
    blockBytes = mebibyte,
    partBytes = 24 * mebibyte,
    keepSuperseded = Duration.days(1)
  } = options
  const keepMillis = Duration.toMillis(keepSuperseded)
  const runOptions = { segmentBytes, blockBytes }
  const segments = SnapshotSegments.make(kv, partBytes)
  const slots = SnapshotSlots.make(kv)
  const held = SnapshotImage.makeHeld()

  /** An object that knows nothing of the one before begins anew over it, and keeps it as long as it is one of two. */
  const lastOf = (shard: string, source: ImageSource, now: number) =>
    Effect.gen(function* () {
      const saved = source.saved() as Saved | undefined
      if (saved !== undefined) return saved.generation
      const readable = (yield* slots.both(shard)).filter(Either.isRight).map(({ right }) => right)
      const sequence = Math.max(0, ...readable.map(SnapshotSlots.sequenceOf))
      const named = readable.flatMap(SnapshotSlots.segmentsIn)
      const known = readable.flatMap((slot) => (slot._tag === "Generation" ? slot.generation.superseded : []))
      const superseded = [...named.map(supersededBy(sequence + 1, now)), ...known]
      return { ...Generation.none, sequence, superseded: uniqueByName(superseded) }
    })

  /** Shards of which it is known that no segment was left by a save that died. */
  const listed = new Set<string>()

  const orphansOf = (shard: string, named: ReadonlyArray<Generation.SegmentName>) =>
    listed.has(shard)
      ? Effect.succeed([])
      : Effect.tap(segments.orphans(shard, named), () => Effect.sync(() => listed.add(shard)))

  const save = (shard: string, source: ImageSource, now: number) =>
    Effect.gen(function* () {
      const last = yield* lastOf(shard, source, now)
      const sequence = last.sequence + 1

      const finish = (
        generation: Pick<Generation.Generation, "runs" | "basedAt">,
        captured: { readonly mark: number },
        frames: ReadonlyArray<Uint8Array>,
        base?: Parameters<ImageSource["commit"]>[2]
      ) =>
        Effect.gen(function* () {
          const kept = new Set(generation.runs.flat().map(({ name }) => name))
          const gone = last.runs.flat().filter(({ name }) => !kept.has(name))
          const isNew = generation.runs.at(-1) !== last.runs.at(-1) && generation.runs.length > 0
          const named = [...last.superseded, ...last.runs.flat(), ...generation.runs.flat()]
          const orphans = isNew ? yield* orphansOf(shard, named) : []
          const superseded = [...last.superseded, ...[...gone, ...orphans].map(supersededBy(sequence, now))]
          yield* slots.put(shard, sequence, yield* Generation.encode({ ...generation, sequence, superseded }, frames))
          // Neither this generation nor the one before needs them.
          const isOver = (one: Generation.SupersededSegment) => one.sequence < sequence && one.since <= now - keepMillis
          const left = yield* segments.forget(shard, superseded.filter(isOver))
          const remaining = [...superseded.filter((one) => !isOver(one)), ...left]
          const saved: Saved = { generation: { ...generation, sequence, superseded: remaining }, at: now }
          source.commit(captured.mark, saved, base)
        })

      const whole = Effect.gen(function* () {
        const image = source.whole(packing * packing * wholeBytes, now)
        if (image === undefined) return false
        const frames = yield* SnapshotFrames.pack(image, blockBytes)
        if (SnapshotFrames.sizeOf(frames) > wholeBytes) return false
        yield* finish({ runs: [], basedAt: 0 }, image, frames, "none")
        return true
      })

      /** What changed while a run was written, which is little, over it. */
      const over = (runs: ReadonlyArray<Generation.Run>, basedAt: number, epoch: number) =>
        Effect.gen(function* () {
          const image = source.changes(packing * inlineBytes, epoch)
          if (image === undefined) return yield* new Frame.FrameError({ reason: "TooLarge" })
          const frames = yield* SnapshotFrames.pack(image, blockBytes)
          yield* finish({ runs, basedAt }, image, frames, { epoch, isWhole: runs.length === 1 })
        })

      const total = last.runs.reduce((sum, run) => sum + Generation.bytesOf(run), 0)
      if (last.runs.length > 0 && source.tracked() && now - last.basedAt < baseMillis) {
        const [base = [], ...added] = last.runs
        const share = Generation.bytesOf(base) * changesShare
        const before = added.reduce((sum, run) => sum + Generation.bytesOf(run), 0)
        const most = Math.min(inlineBytes, share - before)
        const image = source.changes(packing * Math.max(0, most))
        if (image !== undefined) {
          const frames = yield* SnapshotFrames.pack(image, blockBytes)
          if (SnapshotFrames.sizeOf(frames) <= most) return yield* finish(last, image, frames)
        }
        const changed = source.changedIds().reduce((sum, { bytes, id }) => sum + bytes + id.length, 0)
        if (total > 4 * inlineBytes && before + changed / packing < share) {
          const epoch = source.begin()
          const run = yield* SnapshotBase.changedRun(shard, source, segments, runOptions, now)
          return yield* over([...last.runs, run], last.basedAt, epoch)
        }
      }
      if (yield* whole) return
      const epoch = source.begin()
      yield* over([yield* SnapshotBase.wholeRun(shard, source, segments, runOptions, now)], now, epoch)
    })

  const framesOf = (shard: string) => (segment: Generation.SegmentName) =>
    Effect.flatMap(segments.get(shard, segment), Frame.split)

  /** The newest, where both can be read: of one that cannot, nobody knows whether it is. */
  const slotOf = (shard: string, which: "newest" | "previous") =>
    Effect.flatMap(slots.both(shard), (found) => {
      const unreadable = found.find(Either.isLeft)
      const readable = found.filter(Either.isRight).map(({ right }) => right)
      if (which === "newest") {
        return unreadable === undefined
          ? Effect.succeed(SnapshotSlots.newestOf(readable))
          : Effect.fail(unreadable.left)
      }
      return Effect.succeed(
        unreadable === undefined && readable.length > 1
          ? readable.find((slot) => slot !== SnapshotSlots.newestOf(readable))
          : readable[0]
      )
    })

  /** Whether an error says that a part is lost, not that KV does not answer. */
  const isLost = (error: KvError | Frame.FrameError): boolean =>
    error._tag === "FrameError" || SnapshotSegments.isNotVisible(error)

  const leavingOut = <A>(effect: Effect.Effect<A, KvError | Frame.FrameError>) =>
    Effect.catchIf(effect, isLost, (error) =>
      Effect.as(Effect.logWarning("a part of a snapshot is left out: it cannot be read", error), undefined)
    )

  /** Of both, the newest first, whatever can be read. */
  const loadReadable = <E, R>(shard: string, take: (part: ShardImage) => Effect.Effect<void, E, R>) =>
    Effect.gen(function* () {
      const readable = (yield* failing("load")(slots.both(shard))).filter(Either.isRight).map(({ right }) => right)
      const newest = SnapshotSlots.newestOf(readable)
      for (const slot of [...readable].sort((a) => (a === newest ? -1 : 1))) {
        yield* eachPart<SnapshotsError | E, R>(slot, framesOf(shard), take, (part) => failing("load")(leavingOut(part)))
      }
      return readable.length > 0
    })

  const load = <E, R>(
    shard: string,
    take: (part: ShardImage) => Effect.Effect<void, E, R>,
    which: SavedGeneration = "newest"
  ): Effect.Effect<boolean, SnapshotsError | E, R> =>
    which === "readable"
      ? loadReadable(shard, take)
      : Effect.flatMap(
          failing("load")(slotOf(shard, which)),
          (slot): Effect.Effect<boolean, SnapshotsError | E, R> =>
            slot === undefined
              ? Effect.succeed(false)
              : Effect.as(eachPart<SnapshotsError | E, R>(slot, framesOf(shard), take, failing("load")), true)
        )

  const open = (shard: string) =>
    Effect.flatMap(slotOf(shard, "newest"), (slot) =>
      slot === undefined
        ? Effect.succeed(undefined)
        : Effect.map(SnapshotImage.open(slot, framesOf(shard), held), ({ find, tags }) => ({
            tags,
            find: (id: string) => failing("load")(find(id))
          }))
    )

  return {
    save: (shard, source, now) =>
      Effect.onExit(failing("save")(save(shard, source, now)), (exit) =>
        Effect.sync(() => {
          if (exit._tag === "Failure") listed.delete(shard)
        })
      ),
    load,
    open: (shard) => failing("load")(open(shard)),
    marks: (shard) =>
      failing("load")(
        Effect.flatMap(slotOf(shard, "newest"), (slot) =>
          slot === undefined ? Effect.succeed(SnapshotFrames.noTags) : SnapshotImage.marksIn(slot, framesOf(shard))
        )
      )
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

const uniqueByName = <S extends Generation.SegmentName>(all: ReadonlyArray<S>): ReadonlyArray<S> => [
  ...new Map(all.map((segment) => [segment.name, segment])).values()
]

const supersededBy =
  (sequence: number, since: number) =>
  ({ name, parts }: Generation.SegmentName): Generation.SupersededSegment => ({ name, parts, sequence, since })

const failing =
  (operation: SnapshotsError["operation"]) =>
  <A, R>(effect: Effect.Effect<A, KvError | Frame.FrameError, R>): Effect.Effect<A, SnapshotsError, R> =>
    Effect.mapError(effect, (cause) => new SnapshotsError({ operation, reason: reasonOf(cause), cause }))

const reasonOf = (cause: KvError | Frame.FrameError): SnapshotsError["reason"] => {
  if (cause._tag === "FrameError") return cause.reason === "TooLarge" ? "TooLarge" : "Damaged"
  return cause.reason === "RateLimited" || cause.reason === "DailyLimit" ? cause.reason : "Unavailable"
}
