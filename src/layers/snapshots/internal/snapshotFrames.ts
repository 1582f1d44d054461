import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { concat } from "../../../services/base/model/ByteCodec.ts"
import * as Frame from "../../../services/compression/model/Frame.ts"
import type { ImageSource, RowSummary, ShardImage, ShardRow } from "../../../services/durable/Shard.ts"
import type { LocatedRow, LocatedSegment } from "../../../services/snapshots/model/Manifest.ts"
import * as Segment from "../../../services/snapshots/model/Segment.ts"
import { compareStamps } from "../../../services/store/model/Entry.ts"

/** Rows that were compressed together. */
export interface Block {
  readonly rows: ReadonlyArray<RowSummary>
  readonly frame: Uint8Array
}

/**
 * Takes these rows of an image, in order, and packs them into blocks of at most `blockBytes` each (or one row), of which
 * `put` gets one after the other; others run between two blocks.
 */
export const encode = <E>(
  image: ImageSource,
  rows: ReadonlyArray<RowSummary>,
  blockBytes: number,
  put: (block: Block) => Effect.Effect<void, E>
): Effect.Effect<void, E | Frame.FrameError> =>
  Effect.forEach(
    grouped(rows, Segment.rowBytes, blockBytes),
    (part, at) =>
      Effect.sleep(Duration.zero).pipe(
        Effect.when(() => at > 0),
        Effect.zipRight(
          Effect.suspend(() => Segment.encode({ rows: image.take(part.map(({ id }) => id)), tags: noTags }))
        ),
        Effect.flatMap((frame) => put({ rows: part, frame }))
      ),
    { discard: true }
  )

type Groups = ReadonlyArray<ReadonlyArray<Block>>

/**
 * What goes into the snapshot's own value, and what into segments. All is inline while it fits; else the older blocks
 * are grouped into segments, and the youngest half a snapshot's worth, likeliest to change again, stays inline. Never
 * holds more than both together and one block.
 */
export const makeDivision = (inlineBytes: number, segmentBytes: number) => {
  let waiting: ReadonlyArray<Block> = []
  let isDivided = false
  const rest = () => sizeOf(waiting)

  return {
    /** The next younger block; gives the segments that are complete by it. */
    add: (block: Block): Groups => {
      waiting = [...waiting, block]
      const groups: Array<ReadonlyArray<Block>> = []
      while (rest() > inlineBytes + segmentBytes) {
        const oldest = grouped(waiting, bytesOf, segmentBytes)[0]!
        groups.push(oldest)
        waiting = waiting.slice(oldest.length)
        isDivided = true
      }
      return groups
    },
    /** After the last one. */
    end: (): { readonly inline: ReadonlyArray<Uint8Array>; readonly groups: Groups } => {
      const most = isDivided || rest() > inlineBytes ? inlineBytes / 2 : inlineBytes
      let from = 0
      while (sizeOf(waiting.slice(from)) > most) from += 1
      return {
        inline: waiting.slice(from).map(({ frame }) => frame),
        groups: grouped(waiting.slice(0, from), bytesOf, segmentBytes)
      }
    }
  }
}

const bytesOf = ({ frame }: Block): number => frame.byteLength

const sizeOf = (blocks: ReadonlyArray<Block>): number => blocks.reduce((sum, block) => sum + bytesOf(block), 0)

/** The rows of an image that lie in one frame of a segment. */
export interface LiveFrame {
  /** Its place in the segment. */
  readonly at: number
  /** How many rows it has, whether the image has them or not. */
  readonly count: number
  /** Slots are those of the frame. */
  readonly live: ReadonlyArray<LocatedRow>
}

/** The frames of a segment that hold anything of the image. */
export const liveFrames = ({ frames, live }: LocatedSegment): ReadonlyArray<LiveFrame> => {
  let first = 0
  return frames.flatMap((count, at) => {
    const from = first
    first += count
    const own = live.filter(({ slot }) => slot >= from && slot < first)
    return own.length === 0 ? [] : [{ at, count, live: own.map((row) => ({ ...row, slot: row.slot - from })) }]
  })
}

/** What the image has in one of the frames of a segment. */
export const rowsIn = (
  frames: ReadonlyArray<Uint8Array>,
  { at, count, live }: LiveFrame
): Either.Either<ReadonlyArray<ShardRow>, Frame.FrameError> => {
  const frame = frames[at]
  if (frame === undefined) return damaged
  return Either.flatMap(Segment.decode(frame), ({ rows }) => {
    const found = live.flatMap(({ id, slot, version }) => {
      const row = rows[slot]
      return row !== undefined && row.id === id && compareStamps(row.version, version) === 0 ? [row] : []
    })
    return rows.length === count && found.length === live.length ? Either.right(found) : damaged
  })
}

/** The value of a segment, in the parts it is put in. */
export const valueOf = (group: ReadonlyArray<Block>): Uint8Array => concat(group.map(({ frame }) => frame))

const damaged = Either.left(new Frame.FrameError({ reason: "Damaged" }))

export const noTags: ShardImage["tags"] = new Map()

/** Consecutive groups of at most `most`, or of one. */
const grouped = <A>(
  elements: ReadonlyArray<A>,
  sizeOf: (element: A) => number,
  most: number
): ReadonlyArray<ReadonlyArray<A>> => {
  const groups: Array<Array<A>> = []
  let size = Number.POSITIVE_INFINITY
  for (const element of elements) {
    const own = sizeOf(element)
    if (size + own > most) {
      groups.push([])
      size = 0
    }
    groups.at(-1)!.push(element)
    size += own
  }
  return groups
}
