import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { makeLocalInvalidations } from "../../../../src/layers/tiers/internal/localInvalidations.ts"
import { define } from "../../../../src/services/store/model/Collection.ts"
import type { Observation, Stamp } from "../../../../src/services/store/model/Entry.ts"
import { addressOf } from "../../../../src/services/tiers/ReadPath.ts"
import { runs } from "../../../support/runs.ts"

const notes = define("notes")
const others = define("others")
const stampOf = (wall: number): Stamp => ({ wall, counter: 0, writer: "w" })

const entryAt = (wall: number, tags: ReadonlyArray<string>, readAt = wall): Observation => ({
  entry: {
    value: new Uint8Array(0),
    contentType: "",
    tags,
    stamp: stampOf(wall),
    expiresAt: Number.POSITIVE_INFINITY,
    loadMillis: 0
  },
  readAt
})

describe("tags that were invalidated here", () => {
  const names = Array.from({ length: 12 }, (_, number) => `t${number}`)
  const maxTags = 4

  it("end what carries one and is older; beyond so many, also what is older than the latest that was forgotten", () => {
    const step = fc.record({
      tags: fc.subarray(names, { minLength: 1, maxLength: 3 }),
      wall: fc.integer({ min: 1, max: 40 })
    })
    const asked = fc.record({ tags: fc.subarray(names, { maxLength: 3 }), wall: fc.nat(41) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(asked, { minLength: 1, maxLength: 20 }), (steps, all) => {
        const marks = makeLocalInvalidations(maxTags)
        const model = new Map<string, number>()
        for (const { tags, wall } of steps) {
          marks.invalidate(tags, stampOf(wall))
          for (const tag of tags) model.set(tag, Math.max(wall, model.get(tag) ?? 0))
        }
        for (const { tags, wall } of all) {
          const isCurrent = marks.isCurrent(notes, entryAt(wall, tags))
          // What was invalidated later is ended, whether the tag is still remembered or has become part of the floor.
          if (tags.some((tag) => (model.get(tag) ?? 0) > wall)) expect(isCurrent).toBe(false)
          if (tags.length === 0 || [...model.values()].every((mark) => mark <= wall)) expect(isCurrent).toBe(true)
          if (model.size <= maxTags) expect(isCurrent).toBe(!tags.some((tag) => (model.get(tag) ?? 0) > wall))
        }
      }),
      { numRuns: runs(300) }
    )
  })

  it("keep a floor at the latest of those forgotten, not above it", () => {
    const marks = makeLocalInvalidations(2)
    for (const [tag, wall] of [
      ["a", 30],
      ["b", 10],
      ["c", 20]
    ] as const)
      marks.invalidate([tag], stampOf(wall))
    // `a` was forgotten: every entry with any tag must be as late as its mark.
    expect(marks.isCurrent(notes, entryAt(29, ["x"]))).toBe(false)
    expect(marks.isCurrent(notes, entryAt(30, ["x"]))).toBe(true)
    marks.invalidate(["d"], stampOf(25))
    expect(marks.isCurrent(notes, entryAt(29, ["x"])), "the floor does not sink").toBe(false)
    expect(marks.isCurrent(notes, entryAt(30, ["x"]))).toBe(true)
    expect(marks.isCurrent(notes, entryAt(1, []))).toBe(true)
  })
})

describe("a collection that was cleared", () => {
  it("ends what was read until then of it, absences included, and nothing of another", () => {
    const marks = makeLocalInvalidations(10)
    marks.forget(notes, 100)
    for (const observation of [entryAt(1, [], 100), { entry: undefined, readAt: 100 }]) {
      expect(marks.isCurrent(notes, observation)).toBe(false)
      expect(marks.isCurrent(notes, { ...observation, readAt: 101 })).toBe(true)
      expect(marks.isCurrent(others, observation)).toBe(true)
    }
  })
})

describe("a lease", () => {
  const address = addressOf(notes, "a")

  it("is overtaken by a write to its key, by a clear of its collection and by a later invalidation, and by no other", () => {
    const marks = makeLocalInvalidations(10)
    const take = () => marks.lease(address, stampOf(50))
    const [written, cleared, calm] = [take(), take(), marks.lease(addressOf(others, "a"), stampOf(50))]
    const left = entryAt(60, [])
    marks.overtake("notes/b", left)
    expect([written.overtaken([]), cleared.overtaken([])]).toStrictEqual([false, false])
    cleared.release()
    marks.overtake("notes/a", left)
    expect([written.overtaken([]), written.leftBehind()]).toStrictEqual([true, left])
    expect(cleared.overtaken([]), "released before").toBe(false)
    const again = take()
    marks.forget(notes, 70)
    expect([again.overtaken([]), again.leftBehind()]).toStrictEqual([true, { entry: undefined, readAt: 70 }])
    expect([calm.overtaken([]), calm.leftBehind()]).toStrictEqual([false, undefined])
    marks.invalidate(["t"], stampOf(50))
    expect(calm.overtaken(["t"])).toBe(false)
    marks.invalidate(["t"], stampOf(51))
    expect([calm.overtaken(["t"]), calm.overtaken(["u"])]).toStrictEqual([true, false])
  })

  it("released leaves the others of its key as they are", () => {
    const marks = makeLocalInvalidations(10)
    const [first, second] = [marks.lease(address, stampOf(1)), marks.lease(address, stampOf(1))]
    first.release()
    marks.overtake(address.id, undefined)
    expect([first.overtaken([]), second.overtaken([])]).toStrictEqual([false, true])
  })
})
