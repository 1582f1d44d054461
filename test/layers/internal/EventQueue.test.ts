import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as EventQueue from "../../../src/layers/internal/EventQueue.ts"

const drain = (queue: EventQueue.EventQueue): void => {
  for (let event = queue.next(); event !== undefined; event = queue.next()) event.happen()
}

describe("EventQueue", () => {
  it("lets happen, in order of time and then of addition, whatever was not cancelled", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.boolean()), { maxLength: 300 }), (planned) => {
        const queue = EventQueue.make()
        const happened: Array<number> = []
        const events = planned.map(([at], index) => queue.add(at, () => happened.push(index)))
        for (const [index, [, kept]] of planned.entries()) if (!kept) queue.cancel(events[index]!)
        const kept = planned.flatMap(([at, kept], index) => (kept ? [{ at, index }] : []))
        expect(queue.size()).toBe(kept.length)
        drain(queue)
        expect(happened).toEqual(kept.sort((a, b) => a.at - b.at || a.index - b.index).map(({ index }) => index))
        expect(queue.size()).toBe(0)
      })
    )
  })

  it("forgets cancelled events once they outnumber the living", () => {
    const queue = EventQueue.make()
    const happened: Array<number> = []
    for (let index = 0; index < 10_000; index++) {
      const event = queue.add(10_000 - index, () => happened.push(10_000 - index))
      if (index % 100 !== 0) queue.cancel(event)
    }
    expect(queue.size()).toBe(100)
    drain(queue)
    expect(happened).toEqual(Array.from({ length: 100 }, (_, index) => (index + 1) * 100))
  })

  it("is not disturbed by cancelling what has happened or was cancelled before", () => {
    const queue = EventQueue.make()
    const first = queue.add(1, () => {})
    const second = queue.add(2, () => {})
    queue.next()
    queue.cancel(first)
    queue.cancel(second)
    queue.cancel(second)
    expect(queue.size()).toBe(0)
    queue.add(3, () => {})
    expect(queue.size()).toBe(1)
    expect(queue.next()?.at).toBe(3)
  })
})
