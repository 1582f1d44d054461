import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as EventQueue from "../../../../src/layers/simulation/internal/EventQueue.ts"

describe("EventQueue", () => {
  it("gives back its events in order of time and then of addition, whenever they were added", () => {
    const step = fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 20 }) }), fc.constant({ take: true as const }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const queue = EventQueue.make()
        const model: Array<readonly [at: number, index: number]> = []
        const happened: Array<number> = []
        const expected: Array<number> = []
        const take = () => {
          const event = queue.next()
          const first = model.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])[0]
          expect(event?.at).toBe(first?.[0])
          event?.happen()
          if (first !== undefined) expected.push(model.splice(model.indexOf(first), 1)[0]![1])
        }
        for (const [index, step] of steps.entries()) {
          if ("take" in step) take()
          else {
            queue.add(step.add, () => happened.push(index))
            model.push([step.add, index])
          }
        }
        while (model.length > 0) take()
        expect(happened).toEqual(expected)
        expect(queue.next()).toBeUndefined()
      })
    )
  })
})
