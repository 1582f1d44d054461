import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { retryAfterSeconds } from "../../../src/services/base/model/RetryAfter.ts"

const now = Date.UTC(1994, 10, 6, 8, 49, 0)

describe("retryAfterSeconds", () => {
  const cases: ReadonlyArray<readonly [header: string | null, seconds: number | undefined]> = [
    ["120", 120],
    [" 0 ", 0],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 37],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 37],
    ["Sun Nov  6 08:49:37 1994", 37],
    ["Sun, 06 Nov 1994 08:00:00 GMT", 0],
    [null, undefined],
    ["", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["1e3", undefined],
    ["soon", undefined],
    ["Sunday", undefined],
    ["2026", 2026],
    ["1994-11-06T08:49:37Z", undefined]
  ]
  for (const [header, seconds] of cases) {
    it(`reads ${JSON.stringify(header)} as ${seconds}`, () => expect(retryAfterSeconds(header, now)).toBe(seconds))
  }

  it("reads back every date as it is printed, never below zero", () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e9 }), fc.integer({ min: 0, max: 4e9 }), (at, now) => {
        const header = new Date(at * 1000).toUTCString()
        expect(retryAfterSeconds(header, now * 1000)).toBe(Math.max(0, at - now))
      })
    ))
})
