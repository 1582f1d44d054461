import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import * as KeyAliasOff from "../../../src/layers/aliasing/KeyAliasOff.ts"
import * as KeyAliasRules from "../../../src/layers/aliasing/KeyAliasRules.ts"
import { KeyAlias } from "../../../src/services/aliasing/KeyAlias.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { keyAliasContract } from "../../contracts/aliasing/KeyAlias.ts"

keyAliasContract("KeyAliasRules", KeyAliasRules.layer)
keyAliasContract("KeyAliasOff", KeyAliasOff.layer)

const quotes = define("quotes", {
  alias: [
    { rule: "case", to: "upper" },
    { rule: "synonyms", words: { google: "GOOGL" } }
  ]
})

const value = (text: string) => new TextEncoder().encode(text.padEnd(16, "."))

/** An alias that was shown these values, in order. */
const having = (...seen: ReadonlyArray<readonly [key: string, value: string]>) => {
  const alias = KeyAliasRules.make()
  for (const [key, text] of seen) alias.observe(quotes, key, value(text))
  return alias
}

const together = (keys: ReadonlyArray<string>, ...values: ReadonlyArray<string>) =>
  values.flatMap((text) => keys.map((key) => [key, text] as const))

describe("KeyAliasRules", () => {
  it("counts by rule what it changed", () => {
    const alias = KeyAliasRules.make()
    for (const key of ["google", "GOOGLE", "aapl", "AAPL"]) alias.count(quotes, key, 0)
    expect(alias.stats().byCollection.quotes).toStrictEqual({
      changed: 3,
      rules: [
        { rule: quotes.policy.alias[0], applied: 2 },
        { rule: quotes.policy.alias[1], applied: 2 }
      ]
    })
  })

  it("suggests two keys that have held three different values in common", () => {
    const alias = having(...together(["GOOG", "GOOGL"], "1", "2", "3"))
    expect(alias.stats().suggestions).toStrictEqual([
      { collection: "quotes", keys: ["GOOG", "GOOGL"], equal: 3, unequal: 0, rule: undefined }
    ])
  })

  it("says which kind of rule would join them", () => {
    expect(having(...together(["a/B", "A/b"], "1", "2", "3")).stats().suggestions[0]?.rule).toBe("case")
    expect(having(...together(["a?x=1&y=2", "a?y=2&x=1"], "1", "2", "3")).stats().suggestions[0]?.rule).toBe("order")
  })

  it("suggests nothing for a value in common twice, for one that comes and goes, or for different collections", () => {
    expect(having(...together(["a", "b"], "1", "2")).stats().suggestions).toStrictEqual([])
    expect(having(...together(["a", "b"], "1", "2", "1", "2", "1")).stats().suggestions).toStrictEqual([])
    const alias = KeyAliasRules.make()
    for (const text of ["1", "2", "3"]) {
      alias.observe(quotes, "a", value(text))
      alias.observe(define("pages"), "a", value(text))
    }
    expect(alias.stats().suggestions).toStrictEqual([])
  })

  it("takes back a suggestion when the keys go different ways", () => {
    const alias = having(...together(["a", "b"], "1", "2", "3"))
    expect(alias.stats().suggestions.length).toBe(1)
    for (const text of ["4", "5", "6"]) alias.observe(quotes, "a", value(text))
    expect(alias.stats().suggestions).toStrictEqual([])
  })

  it("holds nothing against a key that follows the other late", () => {
    const seen = ["1", "2", "3", "4"].flatMap((text, at, all) => [
      ["a", text] as const,
      ["b", all[Math.max(0, at - 1)]!] as const,
      ["b", text] as const
    ])
    expect(having(...seen).stats().suggestions).toMatchObject([{ equal: 4, unequal: 0 }])
  })

  it("says nothing of short values, nor of one that many keys hold", () => {
    const alias = KeyAliasRules.make()
    for (const text of ["1", "2", "3"]) {
      for (const key of ["a", "b"]) alias.observe(quotes, key, new TextEncoder().encode(text))
    }
    expect(alias.stats().suggestions).toStrictEqual([])
    const keys = Array.from({ length: 100 }, (_, index) => `k${index}`)
    expect(having(...together(keys, "1", "2", "3")).stats().suggestions.length).toBeLessThanOrEqual(6)
  })

  it("learns within bounds, and the new in place of the old", () => {
    const keys = Array.from({ length: 5000 }, (_, index) => `k${index}`)
    const alias = having(
      ...together(["old", "older"], "1", "2", "3"),
      ...keys.flatMap((key, index) => together([key, `${key}'`], `${index}a`, `${index}b`, `${index}c`))
    )
    const { suggestions } = alias.stats()
    expect(suggestions.length).toBe(128)
    expect(suggestions.some(({ keys }) => keys.includes("k4999"))).toBe(true)
    expect(suggestions.some(({ keys }) => keys.includes("old"))).toBe(false)
  })

  it("tells long values apart by their ends and their length", () => {
    const long = (fill: (bytes: Uint8Array) => void) => {
      const bytes = new Uint8Array(100_000)
      fill(bytes)
      return bytes
    }
    const alias = KeyAliasRules.make()
    for (let round = 1; round <= 3; round++) {
      alias.observe(
        quotes,
        "a",
        long((bytes) => bytes.set([round]))
      )
      alias.observe(
        quotes,
        "b",
        long((bytes) => bytes.set([round], 99_999))
      )
      alias.observe(quotes, "c", long((bytes) => bytes.set([round])).subarray(1))
    }
    expect(alias.stats().suggestions).toStrictEqual([])
  })
})

describe("KeyAliasOff", () => {
  it("leaves every key as it is", () => {
    const alias = Effect.runSync(Effect.provide(KeyAlias, KeyAliasOff.layer))
    expect(alias.canonical(quotes, "google", 0)).toBe("google")
    expect(alias.stats()).toStrictEqual({ byCollection: {}, suggestions: [] })
  })
})
