import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as LimitsStorage from "../../../src/layers/limits/LimitsStorage.ts"
import * as RateLimiterLeased from "../../../src/layers/limits/RateLimiterLeased.ts"
import { type BudgetMode, unlimited } from "../../../src/services/budget/Budget.ts"
import { runs } from "../../support/runs.ts"

const object = () =>
  LimitsStorage.make({ get: () => undefined, put: () => undefined, delete: () => false } as unknown as SyncKvStorage)

/** Isolates that lease from one object, which counts how often it was asked. */
const fleet = (isolates: number, limit: number, mode: () => BudgetMode = () => "normal") => {
  const { hit } = object()
  const calls = { leases: 0, fails: false }
  const lease: RateLimiterLeased.Lease = (caller, hits, windowMillis) =>
    Effect.suspend(() => {
      calls.leases += 1
      return calls.fails ? Effect.fail("unreachable") : hit(caller, hits, windowMillis)
    })
  const limiters = Array.from({ length: isolates }, () =>
    RateLimiterLeased.make({ limit, lease }, { ...unlimited, mode: () => mode() })
  )
  return { limiters, calls }
}

const allowedOf = (limiter: ReturnType<typeof RateLimiterLeased.make>, times: number, caller = "k") =>
  Effect.map(
    Effect.all(Array.from({ length: times }, () => limiter.ask(caller))),
    (verdicts) => verdicts.filter(({ allowed }) => allowed).length
  )

describe("a rate limit whose allowance isolates lease in blocks", () => {
  it.effect.prop(
    "grants no more than the limit in all, and keeps back one block an isolate at most",
    [fc.integer({ min: 1, max: 300 }), fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 400 })],
    ([limit, order]) =>
      Effect.gen(function* () {
        const { limiters } = fleet(6, limit)
        let allowed = 0
        for (const isolate of order) if ((yield* limiters[isolate]!.ask("k")).allowed) allowed += 1
        const block = Math.ceil(limit / 10)
        expect(allowed).toBeLessThanOrEqual(limit)
        expect(allowed).toBeGreaterThanOrEqual(Math.min(order.length, limit - 5 * block))
      }),
    { fastCheck: { numRuns: runs(100) } }
  )

  it.effect("of one isolate is exact, with every minute anew, for every caller its own", () =>
    Effect.gen(function* () {
      const { calls, limiters } = fleet(1, 50)
      expect(yield* allowedOf(limiters[0]!, 60)).toBe(50)
      expect(calls.leases).toBe(11)
      expect(yield* allowedOf(limiters[0]!, 5, "other")).toBe(5)
      expect(yield* limiters[0]!.ask("k")).toMatchObject({ allowed: false, remaining: 0, resetAt: 60_000 })
      yield* TestClock.adjust("1 minute")
      expect(yield* limiters[0]!.ask("k")).toMatchObject({ allowed: true, remaining: 49, resetAt: 120_000 })
    })
  )

  it.effect("grants no more where the requests of an isolate overlap, and later what it then held back", () =>
    Effect.gen(function* () {
      const { limiters } = fleet(1, 20)
      const verdicts = yield* Effect.all(
        Array.from({ length: 40 }, () => limiters[0]!.ask("k")),
        { concurrency: "unbounded" }
      )
      const allowed = verdicts.filter(({ allowed }) => allowed).length
      expect(allowed).toBeGreaterThanOrEqual(18)
      expect(allowed + (yield* allowedOf(limiters[0]!, 5))).toBe(20)
    })
  )

  it.effect("asks nobody for requests that it refuses", () =>
    Effect.gen(function* () {
      const { calls, limiters } = fleet(1, 10)
      yield* allowedOf(limiters[0]!, 11)
      const asked = calls.leases
      expect(yield* allowedOf(limiters[0]!, 1000)).toBe(0)
      expect(calls.leases).toBe(asked)
    })
  )

  it.effect("is halved while operations of the day run low, and quartered once they are spent", () =>
    Effect.gen(function* () {
      for (const [mode, limit] of [
        ["normal", 100],
        ["saving", 50],
        ["spent", 25]
      ] as const) {
        expect(yield* allowedOf(fleet(1, 100, () => mode).limiters[0]!, 200)).toBe(limit)
      }
    })
  )

  it.effect("is counted by each isolate for itself while nobody leases", () =>
    Effect.gen(function* () {
      const { calls, limiters } = fleet(2, 30)
      calls.fails = true
      for (const limiter of limiters) expect(yield* allowedOf(limiter, 100)).toBe(30)
    })
  )
})
