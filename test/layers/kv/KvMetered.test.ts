import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import { getMany, Kv, type KvReason } from "../../../src/services/kv/Kv.ts"
import { Ledger, noCounts } from "../../../src/services/ledger/Ledger.ts"
import { contract } from "../../contracts/kv/Kv.ts"
import { runs } from "../../support/runs.ts"

contract("KvMetered", () => KvMetered.make(KvMemory.make(), LedgerMemory.make(0), "CACHE_KV"), { runs: runs(25) })

const value = new TextEncoder().encode("v")

const metered = (plan: KvFaulty.FaultPlan = () => undefined) => {
  const ledger = LedgerMemory.make(0)
  return { kv: KvMetered.make(KvFaulty.make(KvMemory.make(), plan), ledger, "CACHE_KV"), ledger }
}

it.effect("every operation bills its keys and one call, under its namespace and collection", () =>
  Effect.gen(function* () {
    const { kv, ledger } = metered()
    yield* kv.get("plain")
    yield* kv.get("~signals/AAPL")
    yield* kv.getBulk(["a", "~signals/A", "b", "~signals/#hash", "~~tag/t", "~/x"])
    yield* kv.put("~signals/AAPL", value)
    yield* kv.delete("~~self-test")
    yield* kv.list({ prefix: "~signals/A" })
    yield* kv.list()
    yield* kv.list({ prefix: "~" })
    const { total, byNamespace, byCollection } = ledger.report()
    const kvCounts = { reads: 8, writes: 1, deletes: 1, lists: 3 }
    const kvCalls = { reads: 3, writes: 1, deletes: 1, lists: 3 }
    expect(total.kv).toEqual(kvCounts)
    expect(total.kvCalls).toEqual(kvCalls)
    expect(total.kvRefused).toEqual(noCounts)
    expect(byNamespace).toEqual({ CACHE_KV: { kv: kvCounts, kvCalls } })
    expect(byCollection).toEqual({
      default: {
        kv: { reads: 3, writes: 0, deletes: 0, lists: 1 },
        kvCalls: { reads: 2, writes: 0, deletes: 0, lists: 1 },
        logical: noCounts
      },
      signals: {
        kv: { reads: 3, writes: 1, deletes: 0, lists: 1 },
        kvCalls: { reads: 1, writes: 1, deletes: 0, lists: 1 },
        logical: noCounts
      },
      "~": {
        kv: { reads: 2, writes: 0, deletes: 1, lists: 1 },
        kvCalls: { reads: 0, writes: 0, deletes: 1, lists: 1 },
        logical: noCounts
      }
    })
  })
)

it.effect.prop(
  "reading any keys bills each distinct key once, and each call of the chunks of 100, beside one for every key like a number",
  [
    fc.array(
      fc.tuple(fc.constantFrom("", "k"), fc.nat(400)).map(([letter, n]) => `${letter}${n}`),
      { maxLength: 500 }
    )
  ],
  ([keys]) =>
    Effect.gen(function* () {
      const { kv, ledger } = metered()
      yield* getMany(kv, keys)
      const distinct = [...new Set(keys)]
      const alone = distinct.filter((key) => !key.startsWith("k")).length
      expect(ledger.report().total.kv).toEqual({ ...noCounts, reads: distinct.length })
      expect(ledger.report().total.kvCalls.reads).toBe(alone + Math.ceil((distinct.length - alone) / 100))
    })
)

const reasons: ReadonlyArray<readonly [KvReason, "refused" | "billed"]> = [
  ["RateLimited", "refused"],
  ["DailyLimit", "refused"],
  ["InvocationLimit", "refused"],
  ["TooLarge", "refused"],
  ["BadKey", "refused"],
  ["BadOption", "refused"],
  ["Unavailable", "billed"]
]

it.effect.each(reasons)("an operation that ends in %s is %s", ([reason, as]) =>
  Effect.gen(function* () {
    const { kv, ledger } = metered(() => ({ kind: "fail", reason }))
    yield* Effect.flip(kv.get("a"))
    yield* Effect.flip(kv.getBulk(["a", "b", "~c/d"]))
    yield* Effect.flip(kv.put("a", value))
    yield* Effect.flip(kv.delete("a"))
    yield* Effect.flip(kv.list())
    const counts = { reads: 4, writes: 1, deletes: 1, lists: 1 }
    const { total } = ledger.report()
    expect(total.kv).toEqual(as === "billed" ? counts : noCounts)
    expect(total.kvCalls).toEqual(as === "billed" ? { ...counts, reads: 2 } : noCounts)
    expect(total.kvRefused).toEqual(as === "refused" ? counts : noCounts)
  })
)

it.effect("an operation that was given up on is billed, one that was never begun is not", () =>
  Effect.gen(function* () {
    const { kv, ledger } = metered(() => ({ kind: "hang", applied: true }))
    const writing = yield* Effect.fork(Effect.timeout(kv.put("a", value), "1 second"))
    expect(ledger.report().total.kv.writes).toBe(0)
    yield* TestClock.adjust("1 second")
    yield* Fiber.await(writing)
    expect(ledger.report().total.kv.writes).toBe(1)
    kv.put("a", value)
    yield* Effect.fork(kv.put("a", value)).pipe(Effect.flatMap(Fiber.interrupt))
    expect(ledger.report().total.kv.writes).toBe(1)
  })
)

it.effect("the layer meters the Kv it is provided with", () =>
  Effect.gen(function* () {
    yield* Effect.flatMap(Kv, (kv) => kv.get("a"))
    expect(Object.keys((yield* Ledger).report().byNamespace)).toEqual(["OTHER"])
  }).pipe(
    Effect.provide(KvMetered.layer("OTHER").pipe(Layer.provide(KvMemory.layer), Layer.provideMerge(LedgerMemory.layer)))
  )
)
