import * as Effect from "effect/Effect"
import type { FrameError } from "../../../services/compression/model/Frame.ts"
import type { ShardImage, ShardRow } from "../../../services/durable/Shard.ts"
import type { KvError } from "../../../services/kv/Kv.ts"
import type { LocatedSegment, Manifest } from "../../../services/snapshots/model/Manifest.ts"
import * as Segment from "../../../services/snapshots/model/Segment.ts"
import { makeRecent } from "../../base/internal/recent.ts"
import { type LiveFrame, liveFrames, rowsIn } from "./snapshotFrames.ts"

type Rows = ReadonlyMap<string, ShardRow>
type Frames = ReadonlyArray<Uint8Array>
type Failure = KvError | FrameError

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

/**
 * An image as it lies in KV, for reading single rows: rows in the manifest's own value are looked through at once, those
 * in segments are read when they are asked for.
 *
 * @param framesOf reads a segment
 */
export const open = (
  { inline, manifest }: { readonly inline: Frames; readonly manifest: Manifest },
  framesOf: (segment: LocatedSegment) => Effect.Effect<Frames, Failure>,
  held: ReturnType<typeof makeHeld>
) =>
  Effect.gen(function* () {
    const own = held.next()
    let tags: ShardImage["tags"] = new Map()
    const readers: Array<Effect.Effect<Rows, Failure>> = []
    /** In which of the frames an id is. */
    const places = new Map<string, number>()

    for (const frame of inline) {
      const read = Effect.suspend(() => Segment.decode(frame))
      const image = yield* read
      for (const { id } of image.rows) places.set(id, readers.length)
      if (image.tags.size > 0) tags = image.tags
      held.rows.put(`${own}/${readers.length}`, byId(image.rows))
      readers.push(Effect.map(read, ({ rows }) => byId(rows)))
    }

    const readSegment = (segment: LocatedSegment): Effect.Effect<Frames, Failure> =>
      Effect.suspend(() => {
        const frames = held.segments.get(segment.name)
        if (frames !== undefined) return Effect.succeed(frames)
        return Effect.tap(framesOf(segment), (read) => Effect.sync(() => held.segments.put(segment.name, read)))
      })
    const readLive = (segment: LocatedSegment, live: LiveFrame): Effect.Effect<Rows, Failure> =>
      Effect.map(
        Effect.flatMap(readSegment(segment), (frames) => rowsIn(frames, live)),
        byId
      )
    for (const segment of manifest.segments) {
      for (const live of liveFrames(segment)) {
        for (const { id } of live.live) places.set(id, readers.length)
        readers.push(readLive(segment, live))
      }
    }

    const rowsAt = (place: number): Effect.Effect<Rows, Failure> => {
      const rows = held.rows.get(`${own}/${place}`)
      if (rows !== undefined) return Effect.succeed(rows)
      return Effect.tap(readers[place]!, (read) => Effect.sync(() => held.rows.put(`${own}/${place}`, read)))
    }

    return {
      tags,
      find: (id: string): Effect.Effect<ShardRow | undefined, Failure> =>
        Effect.suspend(() => {
          const place = places.get(id)
          return place === undefined ? Effect.succeed(undefined) : Effect.map(rowsAt(place), (rows) => rows.get(id))
        })
    }
  })

const byId = (rows: ReadonlyArray<ShardRow>): Rows => new Map(rows.map((row) => [row.id, row]))

const sizeOf = (rows: Rows): number => {
  let bytes = 0
  for (const { body } of rows.values()) bytes += body?.value.byteLength ?? 0
  return bytes
}
