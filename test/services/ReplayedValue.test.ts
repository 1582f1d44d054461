import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as ReplayedValue from "../../src/services/ReplayedValue.ts"

describe("ReplayedValue", () => {
  it("keeps any version and any size, in twelve bytes", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (version, size) => {
        const value = ReplayedValue.encode(version, size)
        expect(value.byteLength).toBe(12)
        expect(ReplayedValue.versionOf(value)).toBe(version)
        expect(ReplayedValue.weigh(value)).toBe(size)
      })
    )
  })

  it("weighs by its length what declares no size", () => {
    expect(ReplayedValue.weigh(new Uint8Array(0))).toBe(0)
    expect(ReplayedValue.weigh(new Uint8Array(500))).toBe(500)
  })
})
