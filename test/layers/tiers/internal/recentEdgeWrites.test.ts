import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { makeRecentEdgeWrites } from "../../../../src/layers/tiers/internal/recentEdgeWrites.ts"
import { define } from "../../../../src/services/store/model/Collection.ts"
import { entryOf } from "../../../../src/services/store/Store.ts"
import { runs } from "../../../support/runs.ts"

const notes = define("notes")
const edgeTtl = 30_000

const written = (at: number) => ({
  entry: entryOf(notes, new Uint8Array(0), {}, { wall: at, counter: 0, writer: "w" }, at),
  readAt: at
})

describe("what an isolate has written and edge may not show yet", () => {
  it("is never answered from before the write, however many other ids were written since", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 1, max: 1000 }),
        (others, step, before) => {
          const recent = makeRecentEdgeWrites()
          const at = 1_000_000
          recent.note("mine", written(at), at + edgeTtl)
          for (let index = 1; index <= others; index++) {
            const now = at + index * step
            recent.note(`other${index}`, written(now), now + edgeTtl)
          }
          const now = at + others * step
          const onEdge = written(at - before)
          const stillThere = onEdge.readAt + edgeTtl > now
          if (stillThere) expect(recent.isOld("mine", onEdge)).toBe(true)
        }
      ),
      { numRuns: runs(200) }
    )
  })

  it("holds nothing against what was read after it", () => {
    const recent = makeRecentEdgeWrites()
    for (let index = 0; index < 3000; index++) recent.note(`id${index}`, written(index), index + edgeTtl)
    expect(recent.isOld("elsewhere", written(3001))).toBe(false)
    expect(recent.isOld("id2999", written(3001))).toBe(false)
    expect(recent.isOld("id0", written(3001))).toBe(false)
  })
})
