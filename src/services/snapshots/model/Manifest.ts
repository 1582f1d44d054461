import * as Either from "effect/Either"
import { sharing } from "../../base/model/Sharing.ts"
import * as Frame from "../../compression/model/Frame.ts"
import type { Stamp } from "../../store/model/Entry.ts"
import type { SegmentName } from "./Generation.ts"
import { readStamp } from "./Segment.ts"

/** Where one row of the image lies: in which place of its segment, and which version of it. */
export interface LocatedRow {
  readonly id: string
  readonly version: Stamp
  readonly slot: number
}

export interface LocatedSegment extends SegmentName {
  /** How many rows each of its frames has. */
  readonly frames: ReadonlyArray<number>
  /** Those of its rows that are in the image as they are here. */
  readonly live: ReadonlyArray<LocatedRow>
}

/** The first format of snapshots, which is read for ever and written no more: where the rows lie that are not inline. */
export interface Manifest {
  readonly segments: ReadonlyArray<LocatedSegment>
  readonly superseded: ReadonlyArray<SegmentName>
}

export interface Decoded {
  readonly manifest: Manifest
  readonly inline: ReadonlyArray<Uint8Array>
}

export const decode = (frames: ReadonlyArray<Uint8Array>): Either.Either<Decoded, Frame.FrameError> => {
  const [first, ...inline] = frames
  if (first === undefined) return damaged
  return Either.flatMap(
    Frame.decode("manifest", first, (reader) => {
      const shared = sharing()
      return {
        inlineFrames: reader.varint(),
        segments: reader.list(() => {
          const [name, parts] = [reader.string(), reader.varint()]
          reader.varint()
          const frames = reader.list(() => reader.varint())
          const live = reader.list(() => {
            const located = { id: reader.string(), version: readStamp(reader, shared), slot: reader.varint() }
            reader.varint()
            return located
          })
          return { name, parts, frames, live }
        }),
        superseded: reader.list(() => {
          const segment = { name: reader.string(), parts: reader.varint() }
          reader.number()
          return segment
        })
      }
    }),
    ({ inlineFrames, ...manifest }) => (inlineFrames === inline.length ? Either.right({ manifest, inline }) : damaged)
  )
}

const damaged = Either.left(new Frame.FrameError({ reason: "Damaged" }))
