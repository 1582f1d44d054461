import * as Either from "effect/Either"
import { ByteWriter, concat } from "../../base/model/ByteCodec.ts"
import { sharing } from "../../base/model/Sharing.ts"
import * as Frame from "../../compression/model/Frame.ts"
import type { RowSummary } from "../../durable/Shard.ts"
import { compareStamps, type Stamp } from "../../store/model/Entry.ts"
import { readStamp, rowBytes, writeStamp } from "./Segment.ts"

/** Where one row of the image lies: in which place of its segment, and which version of it. */
export interface LocatedRow {
  readonly id: string
  readonly version: Stamp
  readonly slot: number
  /** As {@link rowBytes} has it. */
  readonly bytes: number
}

/** An immutable segment, written once under a name of its own, in so many parts. */
export interface SegmentName {
  readonly name: string
  readonly parts: number
}

export interface LocatedSegment extends SegmentName {
  /** Of all its rows, whether the image still has them or not. */
  readonly bytes: number
  /** How many rows each of its frames has. */
  readonly frames: ReadonlyArray<number>
  /** Those of its rows that are in the image as they are here. */
  readonly live: ReadonlyArray<LocatedRow>
}

export interface SupersededSegment extends SegmentName {
  /** Milliseconds since the epoch of the first manifest without it. */
  readonly since: number
}

/** Where the rows of an image lie that are not inline behind the manifest. */
export interface Manifest {
  readonly segments: ReadonlyArray<LocatedSegment>
  /** Segments that no reader of this manifest needs, and readers of an older one may. */
  readonly superseded: ReadonlyArray<SupersededSegment>
}

export const empty: Manifest = { segments: [], superseded: [] }

/** The least part of a segment that must be live for the segment to be kept: rewriting then at most doubles writes. */
const leastUtilisation = 0.5

/**
 * What of the segments written before serves a new image: those at least half live are kept as they are; all other
 * rows are `fresh`, oldest version first, and have to be written. A row changes only with its version, except for the
 * stamps it has ahead, so that a row with any is always fresh.
 */
export const plan = (
  base: Manifest,
  rows: ReadonlyArray<RowSummary>,
  now: number
): Manifest & { readonly fresh: ReadonlyArray<RowSummary> } => {
  const wanted = new Map(rows.map((row) => [row.id, row]))
  const segments: Array<LocatedSegment> = []
  const superseded = [...base.superseded]
  for (const segment of base.segments) {
    const live = segment.live.filter(({ id, version }) => {
      const row = wanted.get(id)
      return row !== undefined && row.ahead.length === 0 && compareStamps(row.version, version) === 0
    })
    const liveBytes = live.reduce((sum, { bytes }) => sum + bytes, 0)
    if (liveBytes >= leastUtilisation * segment.bytes) {
      for (const { id } of live) wanted.delete(id)
      segments.push({ ...segment, live })
    } else superseded.push({ name: segment.name, parts: segment.parts, since: now })
  }
  return { segments, superseded, fresh: [...wanted.values()].sort((a, b) => compareStamps(a.version, b.version)) }
}

/** A new segment of so many frames, all of it live. */
export const locate = (name: SegmentName, frames: ReadonlyArray<ReadonlyArray<RowSummary>>): LocatedSegment => {
  const live = frames.flat().map((row, slot) => ({ id: row.id, version: row.version, slot, bytes: rowBytes(row) }))
  const bytes = live.reduce((sum, { bytes }) => sum + bytes, 0)
  return { ...name, bytes, frames: frames.map(({ length }) => length), live }
}

/** The manifest's own frame, and behind it those of the rows it holds itself. */
export const encode = (
  manifest: Manifest,
  inline: ReadonlyArray<Uint8Array>
): Either.Either<Uint8Array, Frame.FrameError> => {
  const writer = new ByteWriter()
  writer.varint(inline.length)
  writer.varint(manifest.segments.length)
  for (const { name, parts, bytes, frames, live } of manifest.segments) {
    writer.string(name)
    writer.varint(parts)
    writer.varint(bytes)
    writer.varint(frames.length)
    for (const rows of frames) writer.varint(rows)
    writer.varint(live.length)
    for (const row of live) {
      writer.string(row.id)
      writeStamp(writer, row.version)
      writer.varint(row.slot)
      writer.varint(row.bytes)
    }
  }
  writer.varint(manifest.superseded.length)
  for (const { name, parts, since } of manifest.superseded) {
    writer.string(name)
    writer.varint(parts)
    writer.number(since)
  }
  return Either.map(Frame.encode("manifest", writer.written()), (frame) => concat([frame, ...inline]))
}

export const decode = (
  bytes: Uint8Array
): Either.Either<{ readonly manifest: Manifest; readonly inline: ReadonlyArray<Uint8Array> }, Frame.FrameError> =>
  Either.flatMap(Frame.split(bytes), ([first, ...inline]) =>
    Either.flatMap(
      Frame.decode("manifest", first ?? bytes, (reader) => {
        const shared = sharing()
        return {
          inlineFrames: reader.varint(),
          segments: reader.list(() => ({
            name: reader.string(),
            parts: reader.varint(),
            bytes: reader.varint(),
            frames: reader.list(() => reader.varint()),
            live: reader.list(() => ({
              id: reader.string(),
              version: readStamp(reader, shared),
              slot: reader.varint(),
              bytes: reader.varint()
            }))
          })),
          superseded: reader.list(() => ({ name: reader.string(), parts: reader.varint(), since: reader.number() }))
        }
      }),
      ({ inlineFrames, ...manifest }) =>
        inlineFrames === inline.length
          ? Either.right({ manifest, inline })
          : Either.left(new Frame.FrameError({ reason: "Damaged" }))
    )
  )
