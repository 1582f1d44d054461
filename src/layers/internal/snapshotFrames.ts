import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { compareStamps, type Stamp } from "../../services/Entry.ts"
import * as Frame from "../../services/Frame.ts"
import { concat, type LocatedRow } from "../../services/Manifest.ts"
import * as Segment from "../../services/Segment.ts"
import type { ShardRow } from "../../services/Shard.ts"

/** Rows that were compressed together. */
export interface Block {
  readonly rows: ReadonlyArray<ShardRow>
  readonly frame: Uint8Array
}

/** Packs rows, in order, into blocks of at most `blockBytes` each (or one row); others run between two blocks. */
export const encode = (
  rows: ReadonlyArray<ShardRow>,
  blockBytes: number
): Effect.Effect<ReadonlyArray<Block>, Frame.FrameError> =>
  Effect.forEach(grouped(rows, Segment.rowBytes, blockBytes), (part, at) =>
    Effect.zipRight(
      at === 0 ? Effect.void : Effect.sleep(Duration.zero),
      Effect.suspend(() => Either.map(Segment.encode({ rows: part, tags: noTags }), (frame) => ({ rows: part, frame })))
    )
  )

/**
 * What goes into the snapshot's own value, and what into segments. All is inline while it fits; else the older blocks
 * are grouped into segments, and the youngest half a snapshot's worth, likeliest to change again, stays inline.
 */
export const divide = (
  blocks: ReadonlyArray<Block>,
  inlineBytes: number,
  segmentBytes: number
): { readonly inline: ReadonlyArray<Uint8Array>; readonly groups: ReadonlyArray<ReadonlyArray<Block>> } => {
  const total = blocks.reduce((sum, { frame }) => sum + frame.byteLength, 0)
  let from = 0
  for (let rest = total, most = inlineBytes; rest > most; from++) {
    rest -= blocks[from]!.frame.byteLength
    most = inlineBytes / 2
  }
  return {
    inline: blocks.slice(from).map(({ frame }) => frame),
    groups: grouped(blocks.slice(0, from), ({ frame }) => frame.byteLength, segmentBytes)
  }
}

/** All rows and tag marks of some frames. */
export const decode = (frames: ReadonlyArray<Uint8Array>) =>
  Effect.suspend(() => {
    const rows: Array<ShardRow> = []
    const tags = new Map<string, Stamp>()
    for (const frame of frames) {
      const image = Segment.decode(frame)
      if (Either.isLeft(image)) return Effect.fail(image.left)
      for (const row of image.right.rows) rows.push(row)
      for (const [tag, mark] of image.right.tags) tags.set(tag, mark)
    }
    return Effect.succeed({ rows, tags })
  })

/** The same of a value that is nothing but such frames. */
export const decodeValue = (value: Uint8Array) => Effect.flatMap(Frame.split(value), decode)

/** The row that a manifest says is there, if it is. */
export const rowAt = (
  rows: ReadonlyArray<ShardRow>,
  { id, slot, version }: LocatedRow
): Either.Either<ShardRow, Frame.FrameError> => {
  const row = rows[slot]
  return row !== undefined && row.id === id && compareStamps(row.version, version) === 0
    ? Either.right(row)
    : Either.left(new Frame.FrameError({ reason: "Damaged" }))
}

/** The value of a segment, in the parts it is put in. */
export const valueOf = (group: ReadonlyArray<Block>): Uint8Array => concat(group.map(({ frame }) => frame))

const noTags: ReadonlyMap<string, Stamp> = new Map()

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
