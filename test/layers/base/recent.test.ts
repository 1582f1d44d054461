import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { makeRecent } from "../../../src/layers/base/recent.ts"
import { runs } from "../../support/runs.ts"

/** The same as a list, the latest last. */
const simple = (most: number) => {
  let held: Array<[key: number, size: number]> = []
  const without = (key: number) => held.filter(([one]) => one !== key)
  return {
    get: (key: number) => {
      const found = held.find(([one]) => one === key)
      if (found !== undefined) held = [...without(key), found]
      return found?.[1]
    },
    put: (key: number, size: number) => {
      held = [...without(key), [key, size]]
      while (held.length > 1 && held.reduce((sum, [, own]) => sum + own, 0) > most) held.shift()
    }
  }
}

it("what was kept or asked for last is there, as much of it as fits, and always one", () => {
  const step = fc.record({ key: fc.nat({ max: 7 }), size: fc.option(fc.integer({ min: 1, max: 6 })) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 60, size: "max" }), (most, steps) => {
      const recent = makeRecent<number, number>(most, (size) => size)
      const model = simple(most)
      for (const { key, size } of steps) {
        if (size !== null) {
          recent.put(key, size)
          model.put(key, size)
        } else expect(recent.get(key)).toBe(model.get(key))
      }
      for (let key = 0; key <= 7; key++) expect(recent.get(key)).toBe(model.get(key))
    }),
    { numRuns: runs(300) }
  )
})
