import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import { describe, expect, it } from "vitest"
import { KeyAlias } from "../../../src/services/aliasing/KeyAlias.ts"
import { define } from "../../../src/services/store/model/Collection.ts"

const ruled = define("ruled", {
  alias: [
    { rule: "case", to: "upper" },
    { rule: "order" },
    { rule: "default", parameter: "interval", value: "5m" },
    { rule: "synonyms", words: { google: "GOOGL" } }
  ]
})
const plain = define("plain")

/** What every KeyAlias promises, whatever it makes of the rules. */
export const keyAliasContract = (name: string, layer: Layer.Layer<KeyAlias>): void => {
  const alias = () => Effect.runSync(Effect.provide(KeyAlias, layer))
  const key = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("google", "Google?b=1&a=2", "a?interval=5m"))

  describe(`KeyAlias: ${name}`, () => {
    it("a key of a collection without rules is itself", () => {
      const { canonical } = alias()
      fc.assert(fc.property(key, fc.nat(), (key, now) => canonical(plain, key, now) === key))
    })

    it("a canonical key is its own", () => {
      const { canonical } = alias()
      fc.assert(
        fc.property(key, fc.nat(), (key, now) => {
          const once = canonical(ruled, key, now)
          expect(canonical(ruled, once, now)).toBe(once)
        })
      )
    })

    it("what it has learned changes no key", () => {
      const { canonical, observe } = alias()
      const before = canonical(plain, "a", 0)
      for (let value = 0; value < 10; value++) {
        for (const key of ["a", "b"]) observe(plain, key, new Uint8Array(64).fill(value))
      }
      expect(canonical(plain, "a", 0)).toBe(before)
      expect(canonical(plain, "b", 0)).toBe("b")
    })
  })
}
