import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { dayOf } from "../../../src/services/base/model/UtcDay.ts"
import type { BudgetMode } from "../../../src/services/budget/Budget.ts"
import { maxStretch, modeAfter, resetsAt, stretchOf, usableOf } from "../../../src/services/budget/model/BudgetRules.ts"
import { runs } from "../../support/runs.ts"

const hour = 3_600_000
const midnight = Date.UTC(2026, 10, 21)
const at = (hours: number): number => midnight + hours * hour

describe("a day of the budget", () => {
  it("is a UTC day", () => {
    expect([dayOf(midnight - 1) + 1, resetsAt(midnight - 1), resetsAt(midnight)]).toStrictEqual([
      dayOf(midnight),
      midnight,
      midnight + 24 * hour
    ])
  })

  it("keeps back 24 writes, of a small allowance no more than half, and nothing of other kinds", () => {
    expect([1000, 48, 20, 1, 0].map((allowance) => usableOf("writes", allowance))).toStrictEqual([976, 24, 10, 1, 0])
    expect(usableOf("reads", 1000)).toBe(1000)
  })
})

describe("the mode", () => {
  it("is normal while spending keeps up with the day, saving when it runs ahead, spent when nothing is left", () => {
    expect(modeAfter("normal", 20, 100, at(0))).toBe("normal")
    expect(modeAfter("normal", 21, 100, at(0))).toBe("saving")
    expect(modeAfter("normal", 60, 100, at(12))).toBe("normal")
    expect(modeAfter("normal", 61, 100, at(12))).toBe("saving")
    expect(modeAfter("normal", 99, 100, at(23.99))).toBe("normal")
    expect(modeAfter("normal", 100, 100, at(23.99))).toBe("spent")
    expect(modeAfter("normal", 0, 0, at(1))).toBe("spent")
  })

  it("stays saving until spending has fallen a tenth of the allowance behind where that began", () => {
    expect(modeAfter("saving", 55, 100, at(12))).toBe("saving")
    expect(modeAfter("saving", 50, 100, at(12))).toBe("normal")
  })

  it("changes at most once for every twentieth of the allowance or hour and a half", () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.nat({ max: 30 })).map((counts) => [...counts.take(24 * 60)]),
        (perMinute) => {
          const usable = 20_000
          let mode: BudgetMode = "normal"
          let spent = 0
          let changed = { spent: 0, at: 0 }
          for (const [minute, count] of perMinute.entries()) {
            spent += count
            const next = modeAfter(mode, spent, usable, at(minute / 60))
            if (next !== mode && next !== "spent" && mode !== "normal") {
              expect(spent - changed.spent > usable / 20 || minute - changed.at >= 90).toBe(true)
            }
            if (next !== mode) changed = { spent, at: minute }
            mode = next
          }
        }
      ),
      { numRuns: runs(20) }
    )
  })
})

describe("stretching", () => {
  it("is 1 in normal, the most in spent, and never outside of these", () => {
    fc.assert(
      fc.property(fc.nat({ max: 1000 }), fc.double({ min: 0, max: 23.999, noNaN: true }), (spent, hours) => {
        const mode = modeAfter("saving", spent, 1000, at(hours))
        const stretch = stretchOf(mode, spent, 1000, at(hours))
        expect(stretch).toBeGreaterThanOrEqual(1)
        expect(stretch).toBeLessThanOrEqual(maxStretch)
        if (mode === "normal") expect(stretch).toBe(1)
        if (mode === "spent") expect(stretch).toBe(maxStretch)
      })
    )
  })

  it("grows with what is spent and shrinks as the day goes by", () => {
    expect(stretchOf("saving", 30, 100, at(6))).toBeCloseTo(1)
    expect(stretchOf("saving", 55, 100, at(6))).toBeCloseTo(maxStretch)
    expect(stretchOf("saving", 50, 100, at(6))).toBeGreaterThan(stretchOf("saving", 40, 100, at(6)))
    expect(stretchOf("saving", 50, 100, at(8))).toBeLessThan(stretchOf("saving", 50, 100, at(6)))
  })

  it("lets a spender whose pace is up to ten times too fast go on until the last two hours of the day", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 2000 }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (usable, times) => {
          const every = 24 / usable / times
          let mode: BudgetMode = "normal"
          let spent = 0
          let hours = 0
          while (hours < 24 && mode !== "spent") {
            spent += 1
            mode = modeAfter(mode, spent, usable, at(hours))
            hours += every * stretchOf(mode, spent, usable, at(hours))
          }
          expect(spent).toBeLessThanOrEqual(usable)
          expect(hours).toBeGreaterThan(22)
        }
      )
    )
  })
})
