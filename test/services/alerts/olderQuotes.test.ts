import * as fc from "effect/FastCheck"
import { expect, it } from "vitest"
import { evaluate } from "../../../src/services/alerts/model/AlertEvaluation.ts"
import type { AlertCondition } from "../../../src/services/alerts/model/AlertRule.ts"
import type { AlertState } from "../../../src/services/alerts/model/AlertState.ts"
import { above, below, rule } from "../../support/alerts/alertRules.ts"
import { runs } from "../../support/runs.ts"

const start = Date.UTC(2026, 0, 5, 15)
const minute = 60_000
const average = { value: 100, day: "2026-01-05" }

const condition = fc.oneof(
  fc.integer({ min: 95, max: 105 }).map(above),
  fc.integer({ min: 95, max: 105 }).map(below),
  fc.constantFrom(-2, 2).map((percent): AlertCondition => ({ kind: "percent-change", percent, windowMinutes: 15 })),
  fc
    .constantFrom("above" as const, "below" as const)
    .map((direction): AlertCondition => ({ kind: "crosses-average", direction, days: 2 }))
)

/** Evaluated `later` minutes after the one before, on a quote that traded so many minutes ago. */
const look = fc.record({
  later: fc.integer({ min: 1, max: 12 }),
  age: fc.integer({ min: 0, max: 30 }),
  price: fc.integer({ min: 90, max: 110 })
})

it("a quote older than the last one changes nothing and fires nothing, however late it is evaluated", () => {
  fc.assert(
    fc.property(condition, fc.array(look, { minLength: 2, maxLength: 30 }), (condition, looks) => {
      const watched = rule(condition)
      let now = start
      let state: AlertState | undefined
      for (const { age, later, price } of looks) {
        now += later * minute
        const at = now - age * minute
        const after = evaluate(watched, state, { quote: { price, at }, average }, now)
        if (state !== undefined && at < state.quoteAt) expect(after).toStrictEqual({ state, firing: undefined })
        else expect(after.state).toMatchObject({ quoteAt: at, evaluatedAt: now, price })
        state = after.state
      }
    }),
    { numRuns: runs(200) }
  )
})
