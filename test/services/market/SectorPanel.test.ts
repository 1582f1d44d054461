import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { decode, encode, panelOf, type SectorPanel } from "../../../src/services/market/model/SectorPanel.ts"
import { sectorNames, sectorOf, syntheticHistory } from "../../support/market/syntheticHistory.ts"

const panels: fc.Arbitrary<SectorPanel> = fc
  .record({
    seed: fc.nat(),
    days: fc.integer({ min: 0, max: 20 }),
    symbols: fc.integer({ min: 0, max: 12 }),
    sectors: fc.integer({ min: 1, max: 11 }),
    missing: fc.constantFrom(0, 0.3),
    still: fc.constant(0)
  })
  .map((options) =>
    panelOf(syntheticHistory(options), sectorNames(options.sectors), sectorOf(options.sectors), "MARKET")
  )

describe("a panel", () => {
  it("is the same when it was encoded and decoded, wherever its bytes lie", () => {
    fc.assert(
      fc.property(panels, fc.integer({ min: 0, max: 9 }), (panel, offset) => {
        const bytes = encode(panel)
        const moved = new Uint8Array(bytes.byteLength + offset).subarray(offset)
        moved.set(bytes)
        expect(Either.getOrThrow(decode(moved))).toStrictEqual(panel)
      })
    )
  })

  it("is not read from bytes that were cut, changed or added to", () => {
    fc.assert(
      fc.property(panels, fc.nat(), fc.integer({ min: 1, max: 255 }), (panel, place, flip) => {
        const bytes = encode(panel)
        const at = place % bytes.byteLength
        expect(Either.isLeft(decode(bytes.slice(0, at)))).toBe(true)
        const changed = bytes.slice()
        changed[at]! ^= flip
        expect(Either.isLeft(decode(changed))).toBe(true)
        const longer = new Uint8Array(bytes.byteLength + 1)
        longer.set(bytes)
        expect(Either.isLeft(decode(longer))).toBe(true)
      })
    )
    expect(Either.getOrThrow(Either.flip(decode(new TextEncoder().encode("{}{}{}"))))).toMatchObject({
      reason: "Foreign"
    })
  })

  it("has no close and no weight that is not a finite number above 0", () => {
    const strange = [1, Number.NaN, 0, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const panel = panelOf(
      {
        days: ["2026-11-19", "2026-11-20"],
        symbols: ["S0", "S1", "S2", "S3", "S4", "MARKET"],
        closes: Float64Array.from([...strange, ...strange.toReversed()]),
        weights: Float64Array.from(strange)
      },
      ["a", "b"],
      sectorOf(2),
      "MARKET"
    )
    expect(panel.symbols).toStrictEqual(["S0", "S1", "S2", "S3", "S4"])
    expect([...panel.sectorOf]).toStrictEqual([0, 1, 0, 1, 0])
    expect([...panel.weights]).toStrictEqual([1, 0, 0, 0, 0])
    expect([...panel.closes.slice(0, 5)]).toStrictEqual([1, ...Array.from({ length: 4 }, () => Number.NaN)])
    expect([...panel.market]).toStrictEqual([Number.NaN, 1])
  })
})
