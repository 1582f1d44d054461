import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { ReadPath } from "../../../src/services/tiers/ReadPath.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"
import { text } from "../../support/store/lookups.ts"
import { quotes, story } from "../../support/tiers/readStories.ts"

describe("a read with a loader", () => {
  story(
    "within staleFor the old answer is served at once and refreshed behind",
    Effect.gen(function* () {
      const store = yield* Store
      const swr = define("swr", {
        jitter: 0,
        ttl: Duration.seconds(100),
        memoryTtl: Duration.hours(1),
        staleFor: Duration.seconds(50)
      })
      let loads = 0
      const load = Effect.sync(() => Option.some({ value: bytes(`${++loads}`) }))
      yield* store.getOrLoad(swr, "a", load)
      yield* TestClock.adjust("120 seconds")
      const old = yield* store.getOrLoad(swr, "a", load)
      assert.deepStrictEqual([text(old), old.freshness], ["1", "stale"])
      const now = yield* store.getOrLoad(swr, "a", load)
      assert.deepStrictEqual([text(now), now.freshness, loads], ["2", "fresh", 2])
    })
  )

  story(
    "within graceFor a failing loader is covered by the old answer, beyond it it is not",
    Effect.gen(function* () {
      const store = yield* Store
      const grace = define("grace", { jitter: 0, ttl: Duration.seconds(100), graceFor: Duration.seconds(50) })
      yield* store.getOrLoad(grace, "a", Effect.succeedSome({ value: bytes("old") }))
      yield* TestClock.adjust("149 seconds")
      const covered = yield* store.getOrLoad(grace, "a", Effect.fail("down"))
      assert.deepStrictEqual([text(covered), covered.freshness], ["old", "grace"])
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Effect.flip(store.getOrLoad(grace, "a", Effect.fail("down"))), "down")
    })
  )

  story(
    "within graceFor a slow loader delays a read by the soft deadline only, and its answer still arrives",
    Effect.gen(function* () {
      const store = yield* Store
      const grace = define("grace", {
        jitter: 0,
        ttl: Duration.seconds(100),
        memoryTtl: Duration.seconds(100),
        graceFor: Duration.seconds(50)
      })
      yield* store.getOrLoad(grace, "a", Effect.succeedSome({ value: bytes("old") }))
      yield* TestClock.adjust("110 seconds")
      const slow = Effect.delay(Effect.succeedSome({ value: bytes("new") }), "1 seconds")
      const reader = yield* Effect.fork(store.getOrLoad(grace, "a", slow))
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(text(yield* Fiber.join(reader)), "old")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(text(yield* store.get(grace, "a")), "new")
    })
  )

  story(
    "a loader that finds nothing is asked again only after negativeTtl",
    Effect.gen(function* () {
      const store = yield* Store
      let loads = 0
      const load = Effect.sync(() => {
        loads++
        return Option.none()
      })
      yield* store.getOrLoad(quotes, "a", load)
      yield* store.getOrLoad(quotes, "a", load)
      assert.strictEqual(loads, 1)
      yield* TestClock.adjust("30 seconds")
      yield* store.getOrLoad(quotes, "a", load)
      assert.strictEqual(loads, 2)
    })
  )

  story(
    "an absence that get remembered does not keep getOrLoad from loading",
    Effect.gen(function* () {
      const store = yield* Store
      assert.isUndefined((yield* store.get(quotes, "a")).entry)
      assert.strictEqual(text(yield* store.getOrLoad(quotes, "a", Effect.succeedSome({ value: bytes("x") }))), "x")
    })
  )

  for (const [what, overtake, left] of [
    ["a put", (store: Store["Type"]) => store.set(quotes, "a", bytes("put")), "put"],
    ["a delete", (store: Store["Type"]) => store.delete(quotes, "a"), undefined],
    ["a clear", (store: Store["Type"]) => store.clear(quotes), undefined],
    ["an invalidation of its tag", (store: Store["Type"]) => store.invalidateTags(["t"]), undefined]
  ] as const) {
    for (const memoryTtl of [Duration.seconds(60), Duration.zero]) {
      story(
        `a load overtaken by ${what} is answered and kept nowhere (memory for ${Duration.format(memoryTtl)})`,
        Effect.gen(function* () {
          const store = yield* Store
          const collection = { ...quotes, millis: { ...quotes.millis, memoryTtl: Duration.toMillis(memoryTtl) } }
          const gate = yield* Deferred.make<void>()
          const slow = Effect.as(Deferred.await(gate), Option.some({ value: bytes("loaded"), tags: ["t"] }))
          const reader = yield* Effect.fork(store.getOrLoad(collection, "a", slow))
          yield* TestClock.adjust("10 millis")
          yield* overtake(store)
          yield* Deferred.succeed(gate, undefined)
          assert.strictEqual(text(yield* Fiber.join(reader)), "loaded")
          assert.strictEqual(text(yield* store.get(collection, "a")), left)
          yield* TestClock.adjust("5 minutes")
          assert.strictEqual(text(yield* store.get(collection, "a")), left)
        })
      )
    }
  }

  story(
    "XFetch: the closer the expiry of what took long to load, the likelier an early refresh behind",
    Effect.gen(function* () {
      const store = yield* Store
      const slow = define("slow", { jitter: 0, ttl: Duration.seconds(60), memoryTtl: Duration.seconds(60) })
      let loads = 0
      const load = Effect.delay(
        Effect.sync(() => Option.some({ value: bytes(`${++loads}`) })),
        "1 seconds"
      )
      const first = yield* Effect.fork(store.getOrLoad(slow, "a", load))
      yield* TestClock.adjust("1 seconds")
      yield* Fiber.join(first)
      for (let second = 0; second < 30; second++) {
        yield* TestClock.adjust("1 seconds")
        yield* store.getOrLoad(slow, "a", load)
      }
      assert.strictEqual(loads, 1)
      yield* TestClock.adjust("29500 millis")
      for (let i = 0; i < 200 && loads === 1; i++) {
        const reader = yield* Effect.fork(store.getOrLoad(slow, "a", load))
        yield* TestClock.adjust("2 millis")
        yield* TestClock.adjust("0 millis")
        const early = yield* ReadPath
        if (early.stats().earlyRefreshes > 0) yield* TestClock.adjust("1 seconds")
        yield* Fiber.join(reader)
      }
      assert.strictEqual((yield* ReadPath).stats().earlyRefreshes > 0, true)
      assert.strictEqual(loads, 2)
    })
  )
})
