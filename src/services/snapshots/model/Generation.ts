import * as Either from "effect/Either"
import { ByteWriter, concat } from "../../base/model/ByteCodec.ts"
import * as Frame from "../../compression/model/Frame.ts"
import { compareUtf8 } from "../../kv/model/KvPaging.ts"

/** An immutable segment, written once under a name of its own, in so many parts. */
export interface SegmentName {
  readonly name: string
  readonly parts: number
}

/** Rows, or marks, that were compressed together: their ids, or tags, are not below `first`. */
export interface BlockRef {
  readonly first: string
  readonly marks: boolean
}

export interface SegmentRef extends SegmentName {
  /** As it lies in KV. */
  readonly bytes: number
  readonly blocks: ReadonlyArray<BlockRef>
}

/** Blocks of marks and then of rows, each in UTF-8 byte order, that were written at one time. */
export type Run = ReadonlyArray<SegmentRef>

export interface SupersededSegment extends SegmentName {
  /** The first generation without it, and when that was made, in milliseconds since the epoch. */
  readonly sequence: number
  readonly since: number
}

/**
 * One snapshot of a shard: what changed since its runs lies inline behind it, all of it where there are no runs. Of a
 * row that is in several places the highest version counts, and that is the first one, from inline to the oldest run.
 */
export interface Generation {
  /** Each is one higher than the one before. */
  readonly sequence: number
  /** The base, and what was added to it since. */
  readonly runs: ReadonlyArray<Run>
  /** When the base was begun, in milliseconds since the epoch; 0 without one. */
  readonly basedAt: number
  /** Segments that this generation does not need, and older ones may. */
  readonly superseded: ReadonlyArray<SupersededSegment>
}

/** What stands before the first. */
export const none: Generation = { sequence: 0, runs: [], basedAt: 0, superseded: [] }

/** As a base lies in KV. */
export const bytesOf = (run: Run): number => run.reduce((sum, { bytes }) => sum + bytes, 0)

/** Which block of rows of a run may hold an id: its segment, and the number of its frame there. */
export const blockFor = (run: Run, id: string): { readonly segment: SegmentRef; readonly at: number } | undefined => {
  let found: { readonly segment: SegmentRef; readonly at: number } | undefined
  for (const segment of run) {
    for (const [at, { first, marks }] of segment.blocks.entries()) {
      if (marks) continue
      if (compareUtf8(first, id) > 0) return found
      found = { segment, at }
    }
  }
  return found
}

/** The generation's own frame, and behind it those that are inline. */
export const encode = (
  generation: Generation,
  inline: ReadonlyArray<Uint8Array>
): Either.Either<Uint8Array, Frame.FrameError> => {
  const writer = new ByteWriter()
  writer.varint(inline.length)
  writer.varint(generation.sequence)
  writer.number(generation.basedAt)
  writer.varint(generation.runs.length)
  for (const run of generation.runs) {
    writer.varint(run.length)
    for (const { blocks, bytes, name, parts } of run) {
      writer.string(name)
      writer.varint(parts)
      writer.varint(bytes)
      writer.varint(blocks.length)
      for (const { first, marks } of blocks) {
        writer.byte(marks ? 1 : 0)
        writer.string(first)
      }
    }
  }
  writer.varint(generation.superseded.length)
  for (const { name, parts, sequence, since } of generation.superseded) {
    writer.string(name)
    writer.varint(parts)
    writer.varint(sequence)
    writer.number(since)
  }
  return Either.map(Frame.encode("generation", writer.written()), (frame) => concat([frame, ...inline]))
}

export interface Decoded {
  readonly generation: Generation
  readonly inline: ReadonlyArray<Uint8Array>
}

export const decode = (frames: ReadonlyArray<Uint8Array>): Either.Either<Decoded, Frame.FrameError> => {
  const [first, ...inline] = frames
  if (first === undefined) return damaged
  return Either.flatMap(
    Frame.decode("generation", first, (reader) => ({
      inlineFrames: reader.varint(),
      sequence: reader.varint(),
      basedAt: reader.number(),
      runs: reader.list(() =>
        reader.list(() => ({
          name: reader.string(),
          parts: reader.varint(),
          bytes: reader.varint(),
          blocks: reader.list(() => ({ marks: reader.byte() === 1, first: reader.string() }))
        }))
      ),
      superseded: reader.list(() => ({
        name: reader.string(),
        parts: reader.varint(),
        sequence: reader.varint(),
        since: reader.number()
      }))
    })),
    ({ inlineFrames, ...generation }) =>
      inlineFrames === inline.length ? Either.right({ generation, inline }) : damaged
  )
}

const damaged = Either.left(new Frame.FrameError({ reason: "Damaged" }))
