import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { averageOf, evaluate, type Observed } from "../../../src/services/alerts/model/AlertEvaluation.ts"
import type { AlertCondition, AlertRule } from "../../../src/services/alerts/model/AlertRule.ts"
import type { AlertState, PendingNotification } from "../../../src/services/alerts/model/AlertState.ts"
import { dateOf } from "../../../src/services/base/model/UtcDay.ts"
import { above, below, rule, seen } from "../../support/alerts/alertRules.ts"

const minute = 60_000
const start = Date.UTC(2026, 0, 5, 15)

interface Look {
  readonly price: number
  readonly at: number
}

/** Looks at prices one after the other, as sweeps do whose notifications are delivered at once. */
const watch = (
  watched: AlertRule,
  looks: ReadonlyArray<Look>,
  observe: (look: Look) => Observed = ({ at, price }) => seen(price, at)
) => {
  let state: AlertState | undefined
  const firings: Array<PendingNotification> = []
  for (const look of looks) {
    const { firing, state: after } = evaluate(watched, state, observe(look), look.at)
    if (firing !== undefined) firings.push(firing)
    state = after
  }
  return { state, firings, times: firings.map(({ firedAt }) => (firedAt - start) / minute) }
}

/** Prices five minutes apart. */
const path = (...prices: ReadonlyArray<number>): ReadonlyArray<Look> =>
  prices.map((price, index) => ({ price, at: start + index * 5 * minute }))

describe("price above and below", () => {
  it("fires when the price reaches the threshold, and not again while it stays there", () => {
    expect(watch(rule(above(100)), path(99, 100, 101, 105)).times).toStrictEqual([5])
    expect(watch(rule(below(100)), path(101, 100, 99, 95)).times).toStrictEqual([5])
  })

  it("fires at once where the price is already beyond", () => {
    expect(watch(rule(above(100)), path(120, 121)).times).toStrictEqual([0])
  })

  it("fires again after the price has gone back beyond the hysteresis, not before", () => {
    const wary = rule(above(100), { hysteresisPercent: 2 })
    expect(watch(wary, path(100, 99, 101, 98, 101, 97.9, 100)).times).toStrictEqual([0, 30])
  })

  it("says the price, what was measured, and against what", () => {
    const [firing] = watch(rule(above(100)), path(103)).firings
    expect(firing).toMatchObject({ price: 103, measured: 103, threshold: 100, firedAt: start, attempts: 1 })
  })
})

describe("percent change over a window", () => {
  const rise: AlertCondition = { kind: "percent-change", percent: 5, windowMinutes: 10 }

  it("compares with the price of the window's beginning, and with nothing before the rule is that old", () => {
    expect(watch(rule(rise), path(100, 106, 107)).times).toStrictEqual([10])
    expect(watch(rule(rise), path(100, 102, 104, 106, 108)).times).toStrictEqual([])
    expect(watch(rule({ ...rise, percent: -5 }), path(100, 97, 95)).times).toStrictEqual([10])
  })

  it("does not take a price from before a long gap for that of the window's beginning", () => {
    const gap = [
      { price: 100, at: start },
      { price: 120, at: start + 60 * minute }
    ]
    expect(watch(rule(rise), gap).times).toStrictEqual([])
  })

  it("keeps a bounded number of prices, however often it is looked at", () => {
    const day = rule({ ...rise, windowMinutes: 1440 })
    const looks = Array.from({ length: 3000 }, (_, index) => ({ price: 100, at: start + index * minute }))
    expect(watch(day, looks).state?.samples?.length).toBeLessThanOrEqual(26)
  })
})

describe("crossing a moving average", () => {
  const cross = (direction: "above" | "below") => rule({ kind: "crosses-average", direction, days: 50 })
  const against =
    (value: number) =>
    ({ at, price }: Look): Observed => ({
      ...seen(price, at),
      average: { value, day: dateOf(at) }
    })

  it("fires when the price comes from the other side, not where it always was", () => {
    expect(watch(cross("above"), path(105, 106), against(100)).times).toStrictEqual([])
    expect(watch(cross("above"), path(99, 101), against(100)).times).toStrictEqual([5])
    expect(watch(cross("below"), path(101, 99), against(100)).times).toStrictEqual([5])
  })

  it("waits where nobody knows the average", () => {
    expect(watch(cross("above"), path(99, 101)).state).toBeUndefined()
  })

  it("is the mean of the last closes, and unknown while there are too few", () => {
    expect(averageOf([1, 2, 3, 4], 2)).toBe(3.5)
    expect(averageOf([1], 2)).toBeUndefined()
  })
})

const conditions = fc.oneof(
  fc.integer({ min: 90, max: 110 }).map(above),
  fc.integer({ min: 90, max: 110 }).map(below),
  fc
    .constantFrom(-4, -1, 1, 4)
    .map((percent): AlertCondition => ({ kind: "percent-change", percent, windowMinutes: 15 })),
  fc
    .constantFrom("above" as const, "below" as const)
    .map((direction): AlertCondition => ({ kind: "crosses-average", direction, days: 2 }))
)

const rules = fc
  .record({
    condition: conditions,
    cooldownSeconds: fc.constantFrom(0, 300, 900, 3600),
    hysteresisPercent: fc.constantFrom(0, 0.5, 3)
  })
  .map(({ condition, ...terms }) => rule(condition, terms))

/** Walks of the price around 100, looked at irregularly, sometimes twice at one moment or late. */
const walks = fc
  .array(fc.tuple(fc.integer({ min: -4, max: 4 }), fc.constantFrom(-2, 0, 1, 5, 5, 5, 12)), {
    minLength: 1,
    maxLength: 60
  })
  .map((steps) => {
    let price = 100
    let at = start
    return steps.map(([change, minutes]): Look => {
      price = Math.max(80, Math.min(120, price + change))
      at += minutes * minute
      return { price, at }
    })
  })

const onAverage = ({ at, price }: Look): Observed => ({ ...seen(price, at), average: { value: 100, day: dateOf(at) } })

describe("laws, for any rule and any walk of the price", () => {
  it("a second look at the same moment changes nothing and fires nothing", () => {
    fc.assert(
      fc.property(rules, walks, (watched, looks) => {
        const { state } = watch(watched, looks, onAverage)
        for (const look of looks.filter(({ at }) => at <= state!.evaluatedAt)) {
          const again = evaluate(watched, state, onAverage(look), look.at)
          expect(again.state).toBe(state)
          expect(again.firing).toBeUndefined()
        }
      })
    )
  })

  it("looks that are repeated or come late make no difference to what fires", () => {
    fc.assert(
      fc.property(rules, walks, fc.array(fc.nat({ max: 59 })), (watched, looks, repeats) => {
        const repeated = looks.flatMap((look, index) =>
          repeats.includes(index) ? [look, looks[Math.max(0, index - 1)]!, look] : [look]
        )
        expect(watch(watched, repeated, onAverage)).toStrictEqual(watch(watched, looks, onAverage))
      })
    )
  })

  it("two firings are at least the cooldown apart, and each has a key of its own", () => {
    fc.assert(
      fc.property(rules, walks, (watched, looks) => {
        const { firings } = watch(watched, looks, onAverage)
        for (const [index, { firedAt }] of firings.entries()) {
          const before = firings[index - 1]
          if (before !== undefined) {
            expect(firedAt - before.firedAt).toBeGreaterThanOrEqual(watched.cooldownSeconds * 1000)
          }
        }
        expect(new Set(firings.map(({ key }) => key)).size).toBe(firings.length)
      })
    )
  })

  it("between two firings the price was back beyond the hysteresis", () => {
    fc.assert(
      fc.property(rules, walks, (watched, looks) => {
        const { condition, hysteresisPercent } = watched
        fc.pre(condition.kind === "price-above")
        if (condition.kind !== "price-above") return
        const { firings } = watch(watched, looks)
        for (const [index, { firedAt }] of firings.entries()) {
          if (index === 0) continue
          const from = firings[index - 1]!.firedAt
          const between = looks.filter(({ at }) => at > from && at < firedAt)
          expect(Math.min(...between.map(({ price }) => price))).toBeLessThan(
            condition.price * (1 - hysteresisPercent / 100)
          )
        }
      })
    )
  })

  it("a firing that was decided on one state has one key, no matter who decides it and when", () => {
    fc.assert(
      fc.property(rules, walks, fc.integer({ min: 1, max: 299_000 }), (watched, looks, later) => {
        const { state } = watch(watched, looks, onAverage)
        const at = state!.evaluatedAt + 1000
        const keys = [100, 85, 115].flatMap((price) => {
          const one = evaluate(watched, state, onAverage({ price, at }), at).firing
          const other = evaluate(watched, state, onAverage({ price, at: at + later }), at + later).firing
          return [one?.key, other?.key].filter((key) => key !== undefined)
        })
        expect(new Set(keys).size).toBeLessThanOrEqual(1)
      })
    )
  })

  it("nothing fires while the last notification is still on its way", () => {
    const pending: PendingNotification = {
      key: "k",
      firedAt: start,
      price: 1,
      measured: 1,
      threshold: 1,
      takenAt: start,
      attempts: 1
    }
    fc.assert(
      fc.property(rules, walks, (watched, looks) => {
        let state: AlertState | undefined = {
          evaluatedAt: 0,
          quoteAt: 0,
          price: 100,
          armed: true,
          firings: 1,
          pending
        }
        for (const look of looks) {
          const result = evaluate(watched, state, onAverage(look), look.at)
          expect(result.firing).toBeUndefined()
          expect(result.state?.pending).toStrictEqual(pending)
          state = result.state
        }
      })
    )
  })
})
