import * as fc from "effect/FastCheck"
import { expect, it } from "vitest"
import { horizon } from "../../../src/services/prefetch/Prefetch.ts"
import { scorer } from "../../../src/services/replay/model/PrefetchScore.ts"

it("counts the second half: what was issued, used in time, and what could have been predicted", () => {
  const score = scorer(4)
  score.read(0, "a", "x", ["y"])
  score.read(1, "b", "x", ["y"])
  score.read(2, "a", "y", ["z", "w"])
  score.read(3, "a", "z", [])
  expect(score.result()).toStrictEqual({ issued: 2, used: 1, coverable: 2, covered: 2 })
})

it("a prediction is used within ten requests of its own session, once, and not after", () => {
  const late = (requestsBetween: number) => {
    const score = scorer(0)
    score.read(0, "a", "x", ["y"])
    for (let i = 0; i < requestsBetween; i++) score.read(i, "a", `other ${i}`, [])
    score.read(99, "b", "y", [])
    score.read(99, "a", "y", [])
    score.read(99, "a", "y", [])
    return score.result().used
  }
  expect([late(0), late(horizon - 1), late(horizon)]).toStrictEqual([1, 1, 0])
})

it("who predicts everything that comes covers all but the sessions' first requests", () => {
  const reads = fc.array(fc.record({ session: fc.constantFrom("a", "b"), id: fc.nat(9).map(String) }), { minLength: 1 })
  fc.assert(
    fc.property(reads, (list) => {
      const score = scorer(0)
      const all = Array.from({ length: 10 }, (_, id) => String(id))
      for (const [index, { id, session }] of list.entries()) score.read(index, session, id, all)
      const { coverable, covered, issued, used } = score.result()
      expect(coverable - covered).toBe(new Set(list.map(({ session }) => session)).size)
      expect(issued).toBe(10 * list.length)
      expect(used).toBeLessThanOrEqual(list.length)
    })
  )
})
