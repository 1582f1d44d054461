import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as BatcherCoalescing from "../../../src/layers/batching/BatcherCoalescing.ts"
import * as BatcherOff from "../../../src/layers/batching/BatcherOff.ts"
import { flushBuffered } from "../../../src/programs/batching/flushBuffered.ts"
import { Batcher } from "../../../src/services/batching/Batcher.ts"
import { Budget, type BudgetService, unlimited } from "../../../src/services/budget/Budget.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { addressOf } from "../../../src/services/tiers/ReadPath.ts"
import {
  batcherContract,
  behind,
  invoked,
  makeRecord,
  refusal,
  through,
  write
} from "../../contracts/batching/Batcher.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"

batcherContract("BatcherCoalescing", BatcherCoalescing.layer)
batcherContract("BatcherOff", BatcherOff.layer)

const law = (title: string, body: Effect.Effect<void, unknown>) =>
  it.effect(title, () => Effect.provide(body, BatcherCoalescing.layer))

describe("BatcherCoalescing, reads", () => {
  const ask = (key: string, record: ReturnType<typeof makeRecord>, priority?: "demand" | "prefetch") =>
    Effect.flatMap(Batcher, (batcher) => batcher.read([addressOf(through, key)], record.readMany, priority))

  law(
    "of one tick of one invocation become one call, each key once, those that somebody waits for first",
    Effect.gen(function* () {
      const record = makeRecord()
      yield* invoked(
        Effect.all([ask("a", record, "prefetch"), ask("b", record), ask("a", record), ask("c", record, "prefetch")], {
          concurrency: "unbounded",
          discard: true
        })
      )
      assert.deepStrictEqual(record.calls, ["read b a c"])
      assert.deepInclude((yield* Batcher).stats().reads, { asked: 4, deduplicated: 1, batches: 1, largest: 3 })
    })
  )

  law(
    "of two invocations never wait for each other",
    Effect.gen(function* () {
      const record = makeRecord()
      yield* Effect.all([invoked(ask("a", record)), invoked(ask("a", record))], { concurrency: 2 })
      assert.deepStrictEqual(record.calls, ["read a", "read a"])
    })
  )

  law(
    "answer the others when the one who asked first has gone",
    Effect.gen(function* () {
      const record = makeRecord()
      yield* invoked(
        Effect.gen(function* () {
          const first = yield* Effect.fork(ask("a", record))
          const second = yield* Effect.fork(ask("b", record))
          yield* Effect.yieldNow()
          yield* Effect.fork(first.interruptAsFork(first.id()))
          assert.lengthOf(yield* second, 1)
        })
      )
    })
  )
})

describe("BatcherCoalescing, the buffer", () => {
  const put = (record: ReturnType<typeof makeRecord>, key: string, text = "x", urgent = false, collection = behind) =>
    Effect.flatMap(Batcher, (batcher) =>
      invoked(batcher.write([write(collection, key, text)], record.writeMany, { urgent }))
    )
  const flushDue = Effect.flatMap(Batcher, (batcher) =>
    Effect.flatMap(
      Effect.clockWith((clock) => clock.currentTimeMillis),
      (now) => (batcher.isDue(now) ? invoked(batcher.flush("due")) : Effect.succeed(undefined))
    )
  )
  /** Writes that come a second apart: more are to be expected while one waits. */
  const busy = (record: ReturnType<typeof makeRecord>, count: number) =>
    Effect.forEach(
      Array.from({ length: count }),
      () => Effect.zipRight(put(record, "a"), TestClock.adjust("1 second")),
      { discard: true }
    )

  law(
    "is due when its oldest write has waited flushEvery, not before",
    Effect.gen(function* () {
      const record = makeRecord()
      const batcher = yield* Batcher
      yield* put(record, "warm")
      yield* flushDue
      yield* busy(record, 3)
      yield* TestClock.adjust("6999 millis")
      assert.isFalse(batcher.isDue(9999))
      assert.isTrue(batcher.isDue(10_000))
      yield* TestClock.adjust("1 millis")
      yield* flushDue
      assert.deepStrictEqual(record.calls, ["write warm", "write a"])
      assert.isFalse(batcher.isDue(1e12))
    })
  )

  law(
    "does not make a write wait when none more is to be expected before it is due",
    Effect.gen(function* () {
      const record = makeRecord()
      for (let n = 0; n < 5; n++) {
        yield* put(record, `k${n}`)
        yield* flushDue
        assert.strictEqual(record.calls.at(-1), `write k${n}`)
        yield* TestClock.adjust("1 hour")
      }
    })
  )

  it.effect("waits longer while the budget says so", () =>
    Effect.gen(function* () {
      const record = makeRecord()
      yield* put(record, "warm")
      yield* flushDue
      yield* busy(record, 3)
      yield* TestClock.adjust("26 seconds")
      yield* flushDue
      assert.lengthOf(record.calls, 1)
      yield* TestClock.adjust("1 second")
      yield* flushDue
      assert.lengthOf(record.calls, 2)
    }).pipe(Effect.provide(BatcherCoalescing.layer), Effect.provideService(Budget, { ...unlimited, stretch: () => 3 }))
  )

  it.effect("waits for the next day while what is left of the budget is reserved, unless all is to be flushed", () =>
    Effect.suspend(() => {
      const day = 86_400_000
      let spent = false
      const budget: BudgetService = { ...unlimited, mode: (_, now) => (spent && now < day ? "spent" : "normal") }
      return Effect.gen(function* () {
        const record = makeRecord()
        const batcher = yield* Batcher
        yield* put(record, "warm")
        yield* flushDue
        yield* busy(record, 3)
        spent = true
        yield* TestClock.adjust("1 hour")
        yield* flushDue
        assert.isFalse(batcher.isDue(day - 1), "reads must not look for a flush that is not to be")
        const burst = Array.from({ length: 1000 }, (_, n) => write(behind, `k${n}`, "x"))
        yield* invoked(batcher.write(burst, record.writeMany))
        yield* flushDue
        assert.deepStrictEqual(record.calls, ["write warm"])
        assert.isTrue(batcher.isDue(day))
        assert.deepStrictEqual(yield* flushBuffered, { flushed: 1001, kept: 0 })
        yield* put(record, "late")
        yield* TestClock.setTime(day)
        yield* flushDue
        assert.strictEqual(record.calls.at(-1), "write late")
      }).pipe(Effect.provide(BatcherCoalescing.layer), Effect.provideService(Budget, budget))
    })
  )

  law(
    "is flushed behind a request that makes it large, and behind an urgent one",
    Effect.gen(function* () {
      const record = makeRecord()
      yield* put(record, "warm")
      yield* flushDue
      const burst = Array.from({ length: 999 }, (_, n) => write(behind, `k${n}`, "x"))
      yield* invoked((yield* Batcher).write(burst, record.writeMany))
      assert.lengthOf(record.calls, 1)
      yield* put(record, "k999")
      assert.lengthOf(record.calls, 2)
      yield* TestClock.adjust("2 seconds")
      yield* put(record, "now", "x", true)
      assert.strictEqual(record.calls.at(-1), "write now")
    })
  )

  law(
    "keeps what a flush could not store, and stores it on a later occasion; the program flushes all, however young",
    Effect.gen(function* () {
      let ill = true
      const record = makeRecord((key) => (ill && key !== "c" ? refusal("Unavailable") : undefined))
      for (const key of ["a", "b", "c"]) yield* put(record, key, "1")
      assert.deepStrictEqual(yield* flushBuffered, { flushed: 1, kept: 2 })
      yield* put(record, "b", "2")
      ill = false
      assert.deepStrictEqual(yield* flushBuffered, { flushed: 2, kept: 0 })
      assert.deepStrictEqual([...record.held.keys()].sort(), ["behind/a", "behind/b", "behind/c"])
      assert.strictEqual(new TextDecoder().decode(record.held.get("behind/b")!.value), "2")
    })
  )

  law(
    "keeps to one put a second for a key",
    Effect.gen(function* () {
      const record = makeRecord()
      yield* put(record, "a", "1", true)
      yield* put(record, "a", "2", true)
      yield* flushBuffered
      assert.strictEqual(record.puts.get("behind/a"), 1)
      yield* TestClock.adjust("1 second")
      yield* flushBuffered
      assert.strictEqual(record.puts.get("behind/a"), 2)
      assert.strictEqual(new TextDecoder().decode(record.held.get("behind/a")!.value), "2")
    })
  )

  law(
    "writes at once when it holds as much as it may",
    Effect.gen(function* () {
      const record = makeRecord(() => refusal("DailyLimit"))
      const many = Array.from({ length: 10_000 }, (_, n) => write(behind, `k${n}`, "x"))
      yield* invoked((yield* Batcher).write(many, record.writeMany))
      const [outcome] = yield* put(record, "one too many")
      assert.strictEqual(outcome?.error?.reason, "DailyLimit")
    })
  )

  it.effect.prop(
    "puts a key no more often than it was written, nor than once a flushEvery, and holds the last in the end",
    [
      fc.array(
        fc.record({
          key: fc.constantFrom("a", "b", "c"),
          value: fc.nat(99).map(String),
          wait: fc.constantFrom(0, 100, 999, 3000, 12_000),
          fails: fc.boolean()
        }),
        { minLength: 1, maxLength: 60 }
      )
    ],
    ([steps]) =>
      virtually(
        Effect.gen(function* () {
          let ill = false
          const record = makeRecord(() => (ill ? refusal("Unavailable") : undefined))
          const batcher = yield* Batcher
          const model = new Map<string, string>()
          const written = new Map<string, number>()
          let elapsed = 0
          for (const { fails, key, value, wait } of steps) {
            ill = fails
            model.set(key, value)
            written.set(key, (written.get(key) ?? 0) + 1)
            yield* put(record, key, value)
            yield* flushDue
            for (const [key, value] of model) {
              const held = batcher.pending(addressOf(behind, key))?.entry ?? record.held.get(`behind/${key}`)
              assert.strictEqual(held && new TextDecoder().decode(held.value), value)
            }
            yield* TestClock.adjust(wait)
            elapsed += wait
          }
          for (const key of model.keys()) {
            const puts = record.puts.get(`behind/${key}`) ?? 0
            assert.isAtMost(puts, written.get(key)!)
            assert.isAtMost(puts, 1 + elapsed / 10_000)
          }
          ill = false
          yield* TestClock.adjust("2 minutes")
          yield* flushDue
          for (const [key, value] of model) {
            assert.strictEqual(new TextDecoder().decode(record.held.get(`behind/${key}`)!.value), value)
          }
        }).pipe(Effect.provide(BatcherCoalescing.layer))
      ),
    { fastCheck: { numRuns: runs(60) } }
  )

  law(
    "tells what waits, since when, and when the store of record was last written",
    Effect.gen(function* () {
      const record = makeRecord()
      const other = define("other", { write: "behind" })
      yield* TestClock.setTime(5000)
      yield* put(record, "a")
      yield* flushBuffered
      yield* TestClock.setTime(9000)
      yield* put(record, "a", "1", false, other)
      yield* put(record, "a", "2", false, other)
      const { byCollection, writes } = (yield* Batcher).stats()
      assert.deepInclude(byCollection.get("behind"), { buffered: 0, writtenAt: 5000, oldestAt: undefined })
      assert.deepInclude(byCollection.get("other"), { buffered: 1, writtenAt: undefined, oldestAt: 9000 })
      assert.deepInclude(writes, { asked: 3, stored: 1, coalesced: 1, batches: 1, failed: 0 })
    })
  )
})
