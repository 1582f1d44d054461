import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { analyse } from "../../../src/services/market/model/Analysis.ts"
import { type Signal, signalsOf } from "../../../src/services/market/model/Signal.ts"
import { dueOf, outcomeOf } from "../../../src/services/market/model/SignalTracking.ts"
import { runs } from "../../support/runs.ts"

const closes = (length: number, at: (day: number) => number) => Array.from({ length }, (_, day) => at(day))

/** The signals of the last of these closes. */
const signalsAfter = (
  all: ReadonlyArray<number>,
  sentiment?: { readonly score: number; readonly confidence: number }
) => signalsOf("2026-06-10", analyse("AAPL", all)!, analyse("AAPL", all.slice(0, -1))!, sentiment)

/** Falls for long, then rises: some day the short mean crosses the long one. */
const turning = (rise: number) => closes(61 + rise, (day) => (day <= 61 ? 200 - day : 138 + 2 * (day - 61)))

/** Closes that move by whole basis points a day. */
const walk = fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 62, maxLength: 80 }).map((moves) => {
  let close = 100
  return moves.map((move) => (close *= 1 + move / 10_000))
})

describe("analysis and signals", () => {
  it("fewer than 61 closes say nothing", () => {
    assert.isUndefined(
      analyse(
        "AAPL",
        closes(60, () => 100)
      )
    )
    assert.isDefined(
      analyse(
        "AAPL",
        closes(61, () => 100)
      )
    )
  })

  it("a price that stands still has no momentum, no volatility and no signal", () => {
    const flat = closes(62, () => 100)
    assert.deepStrictEqual(analyse("AAPL", flat), {
      symbol: "AAPL",
      close: 100,
      average20: 100,
      average50: 100,
      momentum: 0,
      volatility: 0
    })
    assert.deepStrictEqual(signalsAfter(flat), [])
  })

  it("does not depend on the unit of the price, nor on what is older than 61 closes", () =>
    fc.assert(
      fc.property(walk, fc.double({ min: 0.01, max: 100, noNaN: true }), (all, unit) => {
        const one = analyse("AAPL", all)!
        const other = analyse(
          "AAPL",
          [7, ...all].map((close) => close * unit)
        )!
        assert.closeTo(other.momentum, one.momentum, 1e-6)
        assert.closeTo(other.volatility, one.volatility, 1e-6)
        assert.closeTo(other.average20, one.average20 * unit, 1e-6 * unit)
      }),
      { seed: 1 }
    ))

  it("a turn gives one crossing, on one day", () => {
    const days = Array.from({ length: 40 }, (_, rise) => rise + 1).filter((rise) =>
      signalsAfter(turning(rise)).some(({ rule }) => rule === "average-cross")
    )
    assert.strictEqual(days.length, 1)
    const [signal] = signalsAfter(turning(days[0]!))
    assert.strictEqual(signal?.direction, "up")
    assert.strictEqual(signal?.horizon, 20)
  })

  it("a signal's direction turns with the market, its strength does not", () =>
    fc.assert(
      fc.property(walk, (all) => {
        const mirrored = all.map((close) => 10_000 / close)
        const rules = (found: ReadonlyArray<Signal>) => found.filter(({ rule }) => rule === "momentum")
        const [one] = rules(signalsAfter(all))
        const [other] = rules(signalsAfter(mirrored))
        assert.strictEqual(one === undefined, other === undefined)
        if (one === undefined || other === undefined) return
        assert.notStrictEqual(one.direction, other.direction)
        assert.closeTo(one.strength, other.strength, 1e-9)
      }),
      { seed: 3, numRuns: runs(500) }
    ))

  it("a press that agrees makes it stronger; one that is sure of the contrary unsays it", () => {
    const rise = Array.from({ length: 40 }, (_, day) => day + 1).find((day) => signalsAfter(turning(day)).length > 0)!
    const strength = (score: number, confidence = 1) => signalsAfter(turning(rise), { score, confidence })[0]?.strength
    const alone = signalsAfter(turning(rise))[0]!.strength
    assert.strictEqual(strength(0), alone)
    assert.isAbove(strength(0.5)!, alone)
    assert.isBelow(strength(-0.3)!, alone)
    assert.isUndefined(strength(-1))
    assert.strictEqual(strength(-1, 0), alone)
  })

  it("is due after its horizon in sessions, and right only if the price went its way", () => {
    const sessions = ["2026-06-08", "2026-06-09", "2026-06-10", "2026-06-11"]
    const signal: Signal = {
      date: "2026-06-08",
      symbol: "AAPL",
      rule: "momentum",
      direction: "up",
      strength: 1,
      horizon: 2,
      close: 100
    }
    assert.strictEqual(dueOf(signal, sessions), "2026-06-10")
    assert.isUndefined(dueOf({ ...signal, horizon: 4 }, sessions))
    assert.isUndefined(dueOf({ ...signal, date: "2026-06-05" }, sessions))
    for (const [direction, close, right] of [
      ["up", 101, true],
      ["up", 100, false],
      ["up", 99, false],
      ["down", 99, true],
      ["down", 100, false],
      ["down", 101, false]
    ] as const) {
      assert.strictEqual(outcomeOf({ ...signal, direction }, "2026-06-10", close).right, right)
    }
  })
})
