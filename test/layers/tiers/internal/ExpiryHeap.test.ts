import * as fc from "effect/FastCheck"
import { expect, it } from "vitest"
import { ExpiryHeap } from "../../../../src/layers/tiers/internal/ExpiryHeap.ts"
import { runs } from "../../../support/runs.ts"

const slots = 100

const step = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("set" as const) },
    { weight: 2, arbitrary: fc.constantFrom("remove" as const, "take" as const) }
  ),
  slot: fc.nat({ max: slots - 1 }),
  at: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -50, max: 50 }) }, fc.constant(Number.POSITIVE_INFINITY))
})

it("the slot that is due is one with the least time, after any settings and removals, and after growing", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), fc.nat({ max: 400 }), (steps, growAfter) => {
      const heap = new ExpiryHeap(slots)
      const times = new Map<number, number>()
      steps.forEach(({ at, kind, slot }, n) => {
        if (n === growAfter) heap.grow(2 * slots)
        if (kind === "set") {
          heap.set(slot, at)
          times.set(slot, at)
        } else if (kind === "remove") {
          heap.remove(slot)
          times.delete(slot)
        } else {
          const due = [...times.values()].filter((time) => time <= at && time !== Number.POSITIVE_INFINITY)
          const first = heap.due(at)
          expect(first === -1 ? undefined : times.get(first)).toBe(due.length === 0 ? undefined : Math.min(...due))
          if (first !== -1) {
            heap.remove(first)
            times.delete(first)
          }
        }
      })
      const left = [...times.values()].filter(Number.isFinite).sort((a, b) => a - b)
      for (const time of left) {
        expect(heap.due(time - 1)).toBe(-1)
        expect(heap.at[heap.due(time)]).toBe(time)
        heap.remove(heap.due(time))
      }
      expect(heap.due(Number.POSITIVE_INFINITY)).toBe(-1)
    }),
    { numRuns: runs(300) }
  )
})
