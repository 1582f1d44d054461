import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { cronsIn, problemsIn } from "../../../src/services/monitoring/model/Performance.ts"
import { makeTopKeys } from "../../../src/services/monitoring/model/TopKeys.ts"
import { runs } from "../../support/runs.ts"

describe("the most wanted keys", () => {
  it("are all that are asked for more than a share of 1/size, with bounds that hold, in a bounded table", () => {
    const request = fc.tuple(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 5 }))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(request, { maxLength: 300 }), (size, stream) => {
        const keys = makeTopKeys(size)
        const truth = new Map<string, number>()
        for (const [key, times] of stream) {
          keys.add(`${key}`, times)
          truth.set(`${key}`, (truth.get(`${key}`) ?? 0) + times)
        }
        const all = [...truth.values()].reduce((sum, one) => sum + one, 0)
        const found = keys.top(100)
        assert.isAtMost(found.length, size)
        for (const { count, error, key } of found) {
          assert.isAtLeast(count, truth.get(key)!)
          assert.isAtMost(count - error, truth.get(key)!)
        }
        const names = new Set(found.map(({ key }) => key))
        for (const [key, count] of truth) if (count > all / size) assert.isTrue(names.has(key))
        assert.deepStrictEqual(
          found.map(({ count }) => count),
          found.map(({ count }) => count).sort((a, b) => b - a)
        )
      }),
      { numRuns: runs(200) }
    )
  })
})

describe("what the figures say", () => {
  it("of crons is how often each job was done or failed, and when it ran last", () => {
    const figures = { "crons|sweep|done": 3, "crons|sweep|failed": 1, "crons|flush|done": 2 }
    const points = [
      { at: 60_000, figures: { "crons|sweep|done": 3 } },
      { at: 120_000, figures: { "crons|sweep|failed": 1 } },
      { at: 180_000, figures: {} }
    ]
    assert.deepStrictEqual(cronsIn(figures, points), [
      { job: "flush", done: 2, failed: 0, lastAt: null },
      { job: "sweep", done: 3, failed: 1, lastAt: 120_000 }
    ])
  })

  it("of problems is how often each kind was answered, the most frequent first", () => {
    assert.deepStrictEqual(problemsIn({ "problems|too-large|413": 1, "problems|unavailable|503": 4 }), [
      { kind: "unavailable", status: 503, count: 4 },
      { kind: "too-large", status: 413, count: 1 }
    ])
  })
})
