import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { frontCoded, wordsOf } from "../../../src/layers/internal/frontCoding.ts"

describe("front-coded words", () => {
  const letters = fc.constantFrom(..."aben '-é")
  const word = fc.string({ unit: letters, minLength: 0, maxLength: 25 })

  it("come back as they were, in their order, sorted or not", () => {
    fc.assert(
      fc.property(fc.array(word), fc.boolean(), (words, sorted) => {
        const given = sorted ? words.toSorted() : words
        expect(wordsOf(frontCoded(given))).toStrictEqual(given)
      }),
      { seed: 1, numRuns: 500 }
    )
  })

  it("share their beginnings", () => {
    expect(frontCoded(["gain", "gained", "gains", "loss"])).toBe("AgainAedCsFloss")
  })

  it("are refused where the code has no room for them", () => {
    expect(() => frontCoded(["Gain"])).toThrow(RangeError)
    expect(() => frontCoded(["a".repeat(26), "b"])).toThrow(RangeError)
  })
})
