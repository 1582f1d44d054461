import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import { Budget } from "../../../src/services/budget/Budget.ts"
import { runs } from "../../support/runs.ts"

const midnight = Date.UTC(2026, 10, 21)
const kinds = ["reads", "writes", "deletes", "lists"] as const

const steps = fc.array(
  fc.record({ kind: fc.constantFrom(...kinds), count: fc.nat({ max: 200 }), later: fc.nat({ max: 10_000_000 }) }),
  { maxLength: 50 }
)

/** What every Budget promises, whatever it allows. */
export const budgetContract = (name: string, layer: () => Layer.Layer<Budget>): void => {
  describe(`Budget: ${name}`, () => {
    it("limits only what it reports, never asks for less than the usual interval, and says when it begins anew", () =>
      fc.assert(
        fc.property(steps, (steps) => {
          const budget = Effect.runSync(Effect.provide(Budget, layer()))
          let now = midnight
          for (const { count, kind, later } of steps) {
            now += later
            budget.record(kind, count, now)
            const report = budget.report(now)
            for (const kind of kinds) {
              assert.strictEqual(budget.mode(kind, now), report?.kinds[kind]?.mode ?? "normal")
            }
            assert.isAtLeast(budget.stretch(now), 1)
            if (report === undefined) continue
            assert.isAbove(report.resetsAt, now)
            assert.isAtMost(report.resetsAt, now + 86_400_000)
          }
        }),
        { numRuns: runs(50) }
      ))

    it.effect("syncs without failing", () =>
      Effect.provide(
        Effect.flatMap(Budget, ({ sync }) => sync),
        layer()
      )
    )
  })
}
