import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { type Block, makeDivision } from "../../../../src/layers/snapshots/internal/snapshotFrames.ts"

const blocks: fc.Arbitrary<ReadonlyArray<Block>> = fc.array(
  fc.integer({ min: 1, max: 30 }).map((bytes) => ({ rows: [], frame: new Uint8Array(bytes) })),
  { maxLength: 40 }
)

const bytesOf = (some: ReadonlyArray<Block>) => some.reduce((sum, { frame }) => sum + frame.byteLength, 0)

it.prop(
  "blocks are divided one by one as all of them at once: inline while they fit, else the youngest half",
  [blocks, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 60 })],
  ([all, inlineBytes, segmentBytes]) => {
    const division = makeDivision(inlineBytes, segmentBytes)
    const early: Array<ReadonlyArray<Block>> = []
    for (const [at, block] of all.entries()) {
      early.push(...division.add(block))
      const waiting = bytesOf(all.slice(0, at + 1)) - bytesOf(early.flat())
      expect(waiting).toBeLessThanOrEqual(inlineBytes + segmentBytes)
    }
    const { groups, inline } = division.end()
    const segments = [...early, ...groups]

    // Nothing is lost, and the oldest are in segments.
    const frames = [...segments.flat().map(({ frame }) => frame), ...inline]
    expect(frames).toEqual(all.map(({ frame }) => frame))

    const total = bytesOf(all)
    const kept = inline.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (total <= inlineBytes) expect(segments).toEqual([])
    else {
      expect(kept).toBeLessThanOrEqual(inlineBytes / 2)
      const youngest = segments.at(-1)!.at(-1)!
      expect(kept + youngest.frame.byteLength).toBeGreaterThan(inlineBytes / 2)
    }
    for (const [at, segment] of segments.entries()) {
      if (segment.length > 1) expect(bytesOf(segment)).toBeLessThanOrEqual(segmentBytes)
      const next = segments[at + 1]?.[0]
      if (next !== undefined) expect(bytesOf(segment) + next.frame.byteLength).toBeGreaterThan(segmentBytes)
    }
  },
  { fastCheck: { numRuns: 2000 } }
)
