import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import * as BudgetAccountMemory from "../../../src/layers/budget/BudgetAccountMemory.ts"
import * as BudgetDaily from "../../../src/layers/budget/BudgetDaily.ts"
import * as BudgetUnlimited from "../../../src/layers/budget/BudgetUnlimited.ts"
import { type BudgetAccount, BudgetAccountError } from "../../../src/services/budget/BudgetAccount.ts"
import { budgetContract } from "../../contracts/budget/Budget.ts"

budgetContract("BudgetUnlimited", () => BudgetUnlimited.layer)
budgetContract("BudgetDaily", () =>
  Layer.provide(BudgetDaily.layer({ writes: 1000, reads: 500 }), BudgetAccountMemory.layer)
)

const midnight = Date.UTC(2026, 10, 21)
const day = 86_400_000
const quiet = Logger.remove(Logger.defaultLogger)

/** An account that fails, hangs, or forgets to answer, as it is told. */
const faulty = () => {
  const account = BudgetAccountMemory.make()
  const state = {
    does: "answer" as "answer" | "fail" | "answer not" | "wait",
    gate: Deferred.unsafeMake<void>({} as never)
  }
  const share: BudgetAccount["Type"]["share"] = (day, spent) => {
    const failure = Effect.fail(new BudgetAccountError({ operation: "share", reason: "Unavailable" }))
    if (state.does === "fail") return failure
    if (state.does === "answer not") return Effect.zipRight(account.share(day, spent), failure)
    if (state.does === "wait") return Effect.zipRight(Deferred.await(state.gate), account.share(day, spent))
    return account.share(day, spent)
  }
  return { state, account: { ...account, share } }
}

describe("BudgetDaily", () => {
  it.effect("isolates that share an account know after a sync what all have spent", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight)
      const account = BudgetAccountMemory.make()
      const [one, other] = [BudgetDaily.make({ writes: 100 }, account), BudgetDaily.make({ writes: 100 }, account)]
      one.record("writes", 40, midnight)
      other.record("writes", 36, midnight)
      assert.strictEqual(one.mode("writes", midnight), "saving")
      yield* one.sync
      yield* other.sync
      assert.strictEqual(other.mode("writes", midnight), "spent")
      assert.strictEqual(one.report(midnight)?.kinds.writes?.spent, 40)
      yield* one.sync
      assert.strictEqual(one.report(midnight)?.kinds.writes?.spent, 76)
    })
  )

  it.effect("begins anew at 00:00 UTC, whatever is under way then", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight - 1000)
      const { account, state } = faulty()
      const budget = BudgetDaily.make({ writes: 10 }, account)
      budget.record("writes", 10, midnight - 1000)
      assert.strictEqual(budget.mode("writes", midnight - 1000), "spent")
      state.does = "wait"
      state.gate = yield* Deferred.make<void>()
      const syncing = yield* Effect.fork(budget.sync)
      yield* Effect.yieldNow()
      yield* TestClock.setTime(midnight)
      assert.strictEqual(budget.mode("writes", midnight), "normal")
      budget.record("writes", 1, midnight)
      yield* Deferred.succeed(state.gate, undefined)
      yield* Fiber.join(syncing)
      assert.strictEqual(budget.report(midnight)?.kinds.writes?.spent, 1)
      assert.strictEqual(budget.report(midnight)?.resetsAt, midnight + day)
    })
  )

  it.effect("keeps what could not be shared, and waits a minute before it tries again", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight)
      const { account, state } = faulty()
      const budget = BudgetDaily.make({ writes: 100 }, account)
      budget.record("writes", 5, midnight)
      state.does = "fail"
      yield* budget.sync
      assert.strictEqual(budget.report(midnight)?.kinds.writes?.spent, 5)
      assert.isFalse(budget.due?.(midnight + 59_000))
      assert.isTrue(budget.due?.(midnight + 60_000))
      state.does = "answer"
      yield* budget.sync
      const other = BudgetDaily.make({ writes: 100 }, account)
      yield* other.sync
      assert.strictEqual(other.report(midnight)?.kinds.writes?.spent, 5)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("counts twice what was shared without an answer: too much rather than too little", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight)
      const { account, state } = faulty()
      const budget = BudgetDaily.make({ writes: 100 }, account)
      budget.record("writes", 5, midnight)
      state.does = "answer not"
      yield* budget.sync
      state.does = "answer"
      yield* budget.sync
      assert.strictEqual(budget.report(midnight)?.kinds.writes?.spent, 10)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("no sync waits for another; one that was lost with its request is made up for", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight)
      const { account, state } = faulty()
      const budget = BudgetDaily.make({ writes: 100 }, account)
      budget.record("writes", 5, midnight)
      state.does = "wait"
      state.gate = yield* Deferred.make<void>()
      const lost = yield* Effect.fork(budget.sync)
      yield* Effect.yieldNow()
      assert.isFalse(budget.due?.(midnight))
      yield* budget.sync
      assert.strictEqual(budget.report(midnight)?.kinds.writes?.spent, 5)
      yield* TestClock.adjust("31 seconds")
      state.does = "answer"
      yield* budget.sync
      assert.strictEqual(budget.report(midnight + 31_000)?.kinds.writes?.spent, 5)
      yield* Fiber.interrupt(lost)
      assert.strictEqual(budget.report(midnight + 31_000)?.kinds.writes?.spent, 5)
    })
  )
})
