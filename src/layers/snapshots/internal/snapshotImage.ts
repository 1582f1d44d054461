import * as Effect from "effect/Effect"
import * as Frame from "../../../services/compression/model/Frame.ts"
import type { ShardImage, ShardRow } from "../../../services/durable/Shard.ts"
import type { KvError } from "../../../services/kv/Kv.ts"
import { blockFor, type SegmentName } from "../../../services/snapshots/model/Generation.ts"
import * as Segment from "../../../services/snapshots/model/Segment.ts"
import { compareStamps, type Stamp } from "../../../services/store/model/Entry.ts"
import { bytesOf } from "../../../services/store/model/EntryBytes.ts"
import { makeRecent } from "../../base/recent.ts"
import { liveFrames, rowsIn } from "./snapshotFrames.ts"
import type { Slot } from "./snapshotSlots.ts"

type Rows = ReadonlyMap<string, ShardRow>
type Frames = ReadonlyArray<Uint8Array>
type Failure = KvError | Frame.FrameError
type FramesOf = (segment: SegmentName) => Effect.Effect<Frames, Failure>

/** Bytes of rows that stay unpacked, of all images: four blocks. What is beyond is unpacked again when it is asked for. */
const heldBytes = 16 * 1024 * 1024

/** Segments that stay as they are stored, of all images, 8 MiB each. */
const heldSegments = 2

/** What is kept of the images that are open, each under a number of its own. */
export const makeHeld = () => {
  let images = 0
  return {
    rows: makeRecent<string, Rows>(heldBytes, sizeOf),
    segments: makeRecent<string, Frames>(heldSegments),
    next: () => images++
  }
}

/** The latest mark of each tag. */
export const marksIn = (slot: Slot, framesOf: FramesOf): Effect.Effect<ShardImage["tags"], Failure> =>
  Effect.gen(function* () {
    const marks = new Map<string, Stamp>()
    const add = (frame: Uint8Array | undefined) =>
      Effect.map(frame === undefined ? Effect.fail(damaged()) : Segment.decode(frame), ({ tags }) => {
        for (const [tag, mark] of tags) {
          const known = marks.get(tag)
          if (known === undefined || compareStamps(mark, known) > 0) marks.set(tag, mark)
        }
      })
    // Marks come first, in a frame of their own.
    if (slot.inline[0] !== undefined) yield* add(slot.inline[0])
    if (slot._tag === "Manifest") return marks
    for (const segment of slot.generation.runs.flat()) {
      const places = segment.blocks.flatMap(({ marks }, at) => (marks ? [at] : []))
      if (places.length === 0) continue
      const frames = yield* framesOf(segment)
      for (const at of places) yield* add(frames[at])
    }
    return marks
  })

/**
 * An image as it lies in KV, for reading single rows: rows in its own value are looked through at once, those in
 * segments are read when they are asked for.
 *
 * @param framesOf reads a segment
 */
export const open = (slot: Slot, framesOf: FramesOf, held: ReturnType<typeof makeHeld>) =>
  Effect.gen(function* () {
    const own = held.next()

    const readSegment = (segment: SegmentName): Effect.Effect<Frames, Failure> =>
      Effect.suspend(() => {
        const frames = held.segments.get(segment.name)
        if (frames !== undefined) return Effect.succeed(frames)
        return Effect.tap(framesOf(segment), (read) => Effect.sync(() => held.segments.put(segment.name, read)))
      })

    const heldRows = (place: string, read: Effect.Effect<Rows, Failure>): Effect.Effect<Rows, Failure> =>
      Effect.suspend(() => {
        const rows = held.rows.get(`${own}/${place}`)
        if (rows !== undefined) return Effect.succeed(rows)
        return Effect.tap(read, (fresh) => Effect.sync(() => held.rows.put(`${own}/${place}`, fresh)))
      })

    const decoded = (frame: Uint8Array | undefined): Effect.Effect<Rows, Failure> =>
      Effect.suspend(() =>
        frame === undefined ? Effect.fail(damaged()) : Effect.map(Segment.decode(frame), ({ rows }) => byId(rows))
      )

    /** In which of the frames behind the slot's own an id is. */
    const places = new Map<string, Effect.Effect<Rows, Failure>>()
    for (const [number, frame] of slot.inline.entries()) {
      const read = heldRows(`${number}`, decoded(frame))
      for (const id of (yield* read).keys()) places.set(id, read)
    }
    if (slot._tag === "Manifest") {
      for (const segment of slot.manifest.segments) {
        for (const live of liveFrames(segment)) {
          const rows = Effect.flatMap(readSegment(segment), (frames) => Effect.map(rowsIn(frames, live), byId))
          const read = heldRows(`${segment.name}/${live.at}`, rows)
          for (const { id } of live.live) places.set(id, read)
        }
      }
    }

    /** In the newest run that has it. */
    const findInRuns = (id: string): Effect.Effect<ShardRow | undefined, Failure> =>
      Effect.gen(function* () {
        if (slot._tag === "Manifest") return undefined
        for (const run of slot.generation.runs.toReversed()) {
          const block = blockFor(run, id)
          if (block === undefined) continue
          const { at, segment } = block
          const read = Effect.flatMap(readSegment(segment), (frames) => decoded(frames[at]))
          const row = (yield* heldRows(`${segment.name}/${at}`, read)).get(id)
          if (row !== undefined) return row
        }
        return undefined
      })

    return {
      tags: yield* marksIn(slot, readSegment),
      find: (id: string): Effect.Effect<ShardRow | undefined, Failure> => {
        const place = places.get(id)
        return place === undefined ? findInRuns(id) : Effect.map(place, (rows) => rows.get(id))
      }
    }
  })

const damaged = () => new Frame.FrameError({ reason: "Damaged" })

const byId = (rows: ReadonlyArray<ShardRow>): Rows => new Map(rows.map((row) => [row.id, row]))

const sizeOf = (rows: Rows): number => {
  let bytes = 0
  for (const { body } of rows.values()) bytes += bytesOf(body)
  return bytes
}
