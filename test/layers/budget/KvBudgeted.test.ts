import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as BudgetAccountMemory from "../../../src/layers/budget/BudgetAccountMemory.ts"
import * as BudgetDaily from "../../../src/layers/budget/BudgetDaily.ts"
import * as KvBudgeted from "../../../src/layers/budget/KvBudgeted.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import { Background } from "../../../src/services/base/Background.ts"
import { Budget, unlimited } from "../../../src/services/budget/Budget.ts"
import type { DailyAllowance } from "../../../src/services/budget/model/KvAllowance.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import type { KvKind } from "../../../src/services/ledger/model/KvKind.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { contract } from "../../contracts/kv/Kv.ts"
import { runs } from "../../support/runs.ts"
import { kvMode } from "../../support/worlds.ts"

const budgetOf = (allowances: DailyAllowance) => BudgetDaily.make(allowances, BudgetAccountMemory.make())

contract("KvBudgeted", () => KvBudgeted.make(KvMemory.make(), budgetOf({ writes: 1e9, deletes: 1e9 }), "refusing"), {
  runs: runs(25)
})

const value = new TextEncoder().encode("v")
const spent = (budget: ReturnType<typeof budgetOf>, kind: KvKind) => budget.report(0)?.kinds[kind]?.spent

describe("KvBudgeted", () => {
  it.effect("spends every billed key, and nothing on what KV refused", () =>
    Effect.gen(function* () {
      const budget = budgetOf({ reads: 100, writes: 100, deletes: 100, lists: 100 })
      const faults: ReadonlyArray<KvFaulty.Fault | undefined> = [
        undefined,
        undefined,
        { kind: "fail", reason: "RateLimited" },
        { kind: "lost", reason: "Unavailable" }
      ]
      const faulty = KvFaulty.make(KvMemory.make(), KvFaulty.scripted(faults))
      const kv = KvBudgeted.make(faulty, budget, "refusing")
      for (const key of ["a", "b", "c", "d"]) yield* Effect.either(kv.put(key, value))
      yield* kv.get("a")
      yield* kv.getBulk(["a", "b", "c"])
      yield* kv.delete("a")
      yield* kv.list()
      const kinds = ["reads", "writes", "deletes", "lists"] as const
      assert.deepStrictEqual(
        kinds.map((kind) => spent(budget, kind)),
        [4, 3, 1, 1]
      )
    })
  )

  it.effect("refuses writes and deletes beyond the allowance as KV would, never reads; the next day they pass", () =>
    Effect.gen(function* () {
      const budget = budgetOf({ reads: 1, writes: 2, deletes: 0, lists: 0 })
      const kv = KvBudgeted.make(KvMemory.make(), budget, "refusing")
      yield* kv.put("a", value)
      yield* kv.put("b", value)
      assert.strictEqual((yield* Effect.flip(kv.put("c", value))).reason, "DailyLimit")
      assert.strictEqual((yield* Effect.flip(kv.delete("a"))).reason, "DailyLimit")
      for (let i = 0; i < 3; i++) yield* kv.get("a")
      yield* kv.list()
      yield* TestClock.adjust("1 day")
      yield* kv.put("c", value)
    })
  )

  it.effect("that only counts refuses nothing", () =>
    Effect.gen(function* () {
      const budget = budgetOf({ writes: 0, deletes: 0 })
      const kv = KvBudgeted.make(KvMemory.make(), budget, "counting")
      yield* kv.put("a", value)
      yield* kv.delete("a")
      assert.deepStrictEqual([spent(budget, "writes"), spent(budget, "deletes")], [1, 1])
    })
  )

  it.effect("shares behind, when it is time", () =>
    Effect.gen(function* () {
      const account = BudgetAccountMemory.make()
      const behind: Array<Effect.Effect<unknown>> = []
      const kv = KvBudgeted.make(KvMemory.make(), BudgetDaily.make({ writes: 100 }, account), "refusing")
      const background = {
        run: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
          Effect.sync(() => {
            behind.push(effect as unknown as Effect.Effect<unknown>)
          }),
        promise: () => undefined
      }
      yield* Effect.provideService(kv.put("a", value), Background, background)
      const other = BudgetDaily.make({ writes: 100 }, account)
      yield* other.sync
      assert.strictEqual(spent(other, "writes"), 0)
      yield* Effect.all(behind)
      yield* other.sync
      assert.strictEqual(spent(other, "writes"), 1)
    })
  )

  it.effect("without a budget is the namespace itself", () =>
    Effect.gen(function* () {
      const kv = KvMemory.make()
      const layer = Layer.provide(KvBudgeted.layer("refusing"), Layer.succeed(Kv, kv))
      assert.strictEqual(yield* Effect.provide(Kv, layer), kv)
    })
  )
})

describe("reads on a short budget", () => {
  const quotes = define("quotes", { jitter: 0, memoryTtl: "60 seconds", staleFor: "60 seconds", graceFor: "5 minutes" })

  for (const [mode, reads] of [
    ["normal", 2],
    ["saving", 0],
    ["spent", 0]
  ] as const) {
    const world = () =>
      Layer.provide(
        kvMode({ settings: { durableMode: false } }),
        Layer.succeed(Budget, { ...unlimited, mode: () => mode })
      )
    const billed = Effect.map(Ledger, (ledger) => ledger.report().total.kv.reads)

    it.effect(`in ${mode}: what is old is asked for again ${reads} times while it may be served`, () =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.set(quotes, "a", value)
        yield* TestClock.adjust("90 seconds")
        assert.strictEqual((yield* store.get(quotes, "a")).freshness, "stale")
        yield* TestClock.adjust("4 minutes")
        yield* store.getMany(quotes, ["a", "a"])
        assert.isDefined((yield* store.get(quotes, "a")).entry)
        assert.strictEqual(yield* billed, reads)
        yield* TestClock.adjust("1 hour")
        yield* store.get(quotes, "a")
        assert.strictEqual(yield* billed, reads + 1)
      }).pipe(Effect.provide(world()))
    )
  }
})
