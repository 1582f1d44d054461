import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { editDistance, misspelled, variablesOf } from "../../src/entry/variables.ts"

const word = fc.string({ unit: fc.constantFrom("A", "B", "_"), maxLength: 6 })

describe("the distance of two names", () => {
  it("is 0 to itself alone, the same both ways, and at most the longer one's length", () => {
    fc.assert(
      fc.property(word, word, (one, other) => {
        const distance = editDistance(one, other)
        expect(distance === 0).toBe(one === other)
        expect(distance).toBe(editDistance(other, one))
        expect(distance).toBeLessThanOrEqual(Math.max(one.length, other.length))
        expect(distance).toBeGreaterThanOrEqual(Math.abs(one.length - other.length))
      })
    )
  })

  it("is 1 after one slip of any kind", () => {
    for (const slip of ["SHARD", "SHARDSS", "SHARDZ", "SHRADS"]) expect(editDistance(slip, "SHARDS"), slip).toBe(1)
  })
})

describe("misspelled variables", () => {
  const known = ["SHARDS", "MEMORY_BYTES", "MEMORY_TIER"]

  it("are those a slip away, in either case, or of a family of ours; the others are somebody else's", () => {
    expect(misspelled(["SHARD", "shards", "MEMORY_BYTE", "MEMORY_LIMIT", "MY_TOKEN", "SHARDS"], known)).toStrictEqual([
      { name: "SHARD", nearest: "SHARDS" },
      { name: "shards", nearest: "SHARDS" },
      { name: "MEMORY_BYTE", nearest: "MEMORY_BYTES" },
      { name: "MEMORY_LIMIT", nearest: "MEMORY_TIER" }
    ])
  })
})

it("variables are text, numbers, booleans and tables; bindings are none", () => {
  class Binding {}
  const env = { A: "a", B: 1, C: false, D: { e: [1] }, F: [1], KV: new Binding(), FETCH: () => undefined, N: null }
  expect(Object.fromEntries(variablesOf(env))).toStrictEqual({ A: "a", B: "1", C: "false", D: '{"e":[1]}', F: "[1]" })
})
