import * as fc from "effect/FastCheck"
import { expect, it } from "vitest"
import { sessionOf } from "../../../src/entry/http/session.ts"

const named = (session: string) =>
  sessionOf(new Request("https://larder.test/", { headers: { "Larder-Session": session } }))

it("a request may name its session, in up to 128 visible ASCII characters", () => {
  const visible = fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 128 })
    .map((codes) => String.fromCharCode(...codes))
  fc.assert(
    fc.property(visible, (session) => {
      expect(named(session)).toBe(session)
    })
  )
  expect(sessionOf(new Request("https://larder.test/"))).toBe(undefined)
})

it("anything else is no session, and no mistake", () => {
  for (const session of ["", "two words", "é", "x".repeat(129)]) expect(named(session)).toBe(undefined)
})
