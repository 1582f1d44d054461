import * as fc from "effect/FastCheck"
import { expect, it } from "vitest"

it("a length that a property states is reached", () => {
  const lengths = fc.sample(fc.array(fc.nat(), { maxLength: 350 }), 500).map(({ length }) => length)
  expect(Math.max(...lengths)).toBeGreaterThan(300)
  expect(lengths.filter((length) => length > 100).length).toBeGreaterThan(100)
  const texts = fc.sample(fc.string({ minLength: 1, maxLength: 512 }), 500).map(({ length }) => length)
  expect(Math.max(...texts)).toBeGreaterThan(450)
  expect(Math.min(...texts)).toBeLessThan(10)
})
