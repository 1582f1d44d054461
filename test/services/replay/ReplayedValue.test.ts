import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as ReplayedValue from "../../../src/services/replay/model/ReplayedValue.ts"

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })

describe("ReplayedValue", () => {
  it("keeps any version, size and entry, in sixteen bytes", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), word, word, (version, size, entry) => {
        const value = ReplayedValue.encode(version, size, entry)
        expect(value.byteLength).toBe(16)
        expect(ReplayedValue.versionOf(value)).toBe(version)
        expect(ReplayedValue.weigh(value)).toBe(size)
        expect(ReplayedValue.entryOf(value)).toBe(entry)
      })
    )
  })

  it("weighs by its length what declares no size", () => {
    expect(ReplayedValue.weigh(new Uint8Array(0))).toBe(0)
    expect(ReplayedValue.weigh(new Uint8Array(500))).toBe(500)
  })
})
