import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as BudgetAccountKv from "../../../src/layers/budget/BudgetAccountKv.ts"
import * as BudgetAccountMemory from "../../../src/layers/budget/BudgetAccountMemory.ts"
import * as BudgetDaily from "../../../src/layers/budget/BudgetDaily.ts"
import * as BudgetAccountBinding from "../../../src/layers/durable/BudgetAccountBinding.ts"
import * as BudgetAccountStorage from "../../../src/layers/durable/BudgetAccountStorage.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as Random from "../../../src/services/base/model/Random.ts"
import { type KvCounts, noCounts } from "../../../src/services/ledger/Ledger.ts"
import { budgetAccountContract } from "../../contracts/budget/BudgetAccount.ts"

const storage = () => {
  const kept = new Map<string, unknown>()
  return {
    get: <A>(key: string) => kept.get(key) as A | undefined,
    put: (key: string, it: unknown) => kept.set(key, it)
  }
}

const overRpc = () => {
  const account = BudgetAccountStorage.make(storage())
  const spend = async (day: number, spent: KvCounts) => (await Effect.runPromise(account.share(day, spent))).total
  return BudgetAccountBinding.make({ getByName: () => ({ spend }) }, LedgerMemory.make(0))
}

budgetAccountContract("BudgetAccountMemory", BudgetAccountMemory.make)
budgetAccountContract("BudgetAccountStorage", () => BudgetAccountStorage.make(storage()))
budgetAccountContract("BudgetAccountBinding", overRpc)
budgetAccountContract("BudgetAccountKv", () => BudgetAccountKv.make(KvMemory.make(), { writes: 1000 }, () => 0))

describe("BudgetAccountStorage", () => {
  it.effect("writes nothing for an isolate that only asks", () =>
    Effect.gen(function* () {
      const kept = storage()
      const puts: Array<unknown> = []
      const account = BudgetAccountStorage.make({ ...kept, put: (_, it) => puts.push(it) })
      yield* account.share(1, noCounts)
      assert.deepStrictEqual(puts, [])
    })
  )
})

describe("BudgetAccountKv", () => {
  /** A day of isolates that come and go, each with some writes; what they end up knowing, and what that cost. */
  const aDay = (lives: ReadonlyArray<number>, seed: number) =>
    Effect.gen(function* () {
      const ledger = LedgerMemory.make(0)
      const kv = KvMetered.make(KvMemory.make(), ledger, "CACHE_KV")
      const allowances = { writes: 1000 }
      const random = Random.make(seed)
      for (const writes of lives) {
        const budget = BudgetDaily.make(allowances, BudgetAccountKv.make(kv, allowances, random))
        for (let i = 0; i < writes; i++) {
          budget.record("writes", 1, 0)
          if (budget.due?.(0)) yield* budget.sync
        }
      }
      const last = BudgetDaily.make(
        allowances,
        BudgetAccountKv.make(kv, allowances, () => 0)
      )
      yield* last.sync
      return { known: last.report(0)!.kinds.writes!.spent, cost: ledger.report().total.kv }
    })

  it.effect("knows on average what short-lived isolates have spent, for a twenty-fifth of the allowance", () =>
    Effect.gen(function* () {
      const lives = Array.from({ length: 150 }, (_, index) => 1 + (index % 12))
      const spent = lives.reduce((sum, writes) => sum + writes)
      const knowns: Array<number> = []
      for (let seed = 1; seed <= 40; seed++) {
        const { cost, known } = yield* aDay(lives, seed)
        knowns.push(known)
        assert.isAtMost(cost.writes, 60)
        assert.isAtMost(cost.reads, lives.length + cost.writes + 1)
      }
      const mean = knowns.reduce((sum, known) => sum + known) / knowns.length
      assert.closeTo(mean / spent, 1, 0.05)
      for (const known of knowns) assert.closeTo(known / spent, 1, 0.35)
    })
  )

  it.effect("is exact for the isolate itself between two leases", () =>
    Effect.gen(function* () {
      const account = BudgetAccountKv.make(KvMemory.make(), { writes: 1000 }, () => 0)
      const budget = BudgetDaily.make({ writes: 1000 }, account)
      for (let i = 1; i <= 24; i++) {
        budget.record("writes", 1, 0)
        yield* budget.sync
        assert.strictEqual(budget.report(0)?.kinds.writes?.spent, i)
      }
    })
  )

  it.effect("takes a damaged value for none", () =>
    Effect.gen(function* () {
      const kv = KvMemory.make()
      yield* kv.put("~~budget", new TextEncoder().encode("{"))
      const account = BudgetAccountKv.make(kv, { writes: 1000 }, () => 0)
      assert.deepStrictEqual((yield* account.share(0, noCounts)).total, noCounts)
    })
  )
})
