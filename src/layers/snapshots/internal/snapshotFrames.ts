import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { concat } from "../../../services/base/model/ByteCodec.ts"
import * as Frame from "../../../services/compression/model/Frame.ts"
import type { ShardImage, ShardRow } from "../../../services/durable/Shard.ts"
import type { BlockRef } from "../../../services/snapshots/model/Generation.ts"
import type { LocatedRow, LocatedSegment } from "../../../services/snapshots/model/Manifest.ts"
import * as Segment from "../../../services/snapshots/model/Segment.ts"
import { compareStamps, type Stamp } from "../../../services/store/model/Entry.ts"
import { bytesOf } from "../../../services/store/model/EntryBytes.ts"

/** Rows or marks that were compressed together. */
export interface Block extends BlockRef {
  readonly frame: Uint8Array
}

export const noTags: ShardImage["tags"] = new Map()

export const rowBlock = (rows: ReadonlyArray<ShardRow>): Either.Either<Block, Frame.FrameError> =>
  Either.map(Segment.encode({ rows, tags: noTags }), (frame) => ({ first: rows[0]!.id, marks: false, frame }))

export const markBlock = (marks: ReadonlyArray<readonly [string, Stamp]>): Either.Either<Block, Frame.FrameError> =>
  Either.map(Segment.encode({ rows: [], tags: new Map(marks) }), (frame) => ({
    first: marks[0]![0],
    marks: true,
    frame
  }))

/** An image in frames of at most `blockBytes` each, or one row; its marks in the first. Others run between two. */
export const pack = (
  { rows, tags }: ShardImage,
  blockBytes: number
): Effect.Effect<ReadonlyArray<Uint8Array>, Frame.FrameError> =>
  Effect.gen(function* () {
    const frames: Array<Uint8Array> = tags.size === 0 ? [] : [yield* Segment.encode({ rows: [], tags })]
    for (const part of grouped(rows, rowBytes, blockBytes)) {
      if (frames.length > 0) yield* Effect.sleep(0)
      frames.push(yield* Segment.encode({ rows: part, tags: noTags }))
    }
    return frames
  })

export const rowBytes = ({ body, id }: ShardRow): number => Segment.rowBytes({ id, bytes: bytesOf(body) })

export const sizeOf = (frames: ReadonlyArray<Uint8Array>): number =>
  frames.reduce((sum, { byteLength }) => sum + byteLength, 0)

/** The value of a segment, in the parts it is put in. */
export const valueOf = (group: ReadonlyArray<Block>): Uint8Array => concat(group.map(({ frame }) => frame))

/** The rows of an image that lie in one frame of a segment of the first format. */
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

const damaged = Either.left(new Frame.FrameError({ reason: "Damaged" }))

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
