import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as EdgeCacheMemory from "../../../src/layers/tiers/EdgeCacheMemory.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { EdgeCache } from "../../../src/services/tiers/EdgeCache.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"
import { text } from "../../support/store/lookups.ts"
import { billed, quotes, story } from "../../support/tiers/readStories.ts"
import { kvMode } from "../../support/worlds.ts"

describe("the way of a read", () => {
  story(
    "a written entry costs no KV read until memory's ttl has passed, then one",
    Effect.gen(function* () {
      const store = yield* Store
      yield* store.set(quotes, "a", bytes("1"))
      for (let i = 0; i < 1000; i++) yield* store.get(quotes, "a")
      assert.deepStrictEqual(yield* billed, { reads: 0, writes: 1, deletes: 0, lists: 0 })
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* store.get(quotes, "a")).tier, "kv")
      assert.strictEqual((yield* store.get(quotes, "a")).tier, "memory")
      assert.strictEqual((yield* billed).reads, 1)
    })
  )

  story(
    "absence is remembered: one read for a hundred misses",
    Effect.gen(function* () {
      const store = yield* Store
      for (let i = 0; i < 100; i++) assert.isUndefined((yield* store.get(quotes, "none")).entry)
      assert.strictEqual((yield* billed).reads, 1)
      yield* TestClock.adjust("30 seconds")
      yield* store.get(quotes, "none")
      assert.strictEqual((yield* billed).reads, 2)
    })
  )

  story(
    "fifty who miss at once share one KV read and one load",
    Effect.gen(function* () {
      const store = yield* Store
      let loads = 0
      const gate = yield* Deferred.make<void>()
      const load = Effect.zipRight(
        Effect.sync(() => loads++),
        Effect.as(Deferred.await(gate), Option.some({ value: bytes("x") }))
      )
      const readers = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 50 }, () => store.getOrLoad(quotes, "a", load)),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("1 seconds")
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual((yield* Fiber.join(readers)).map(text), Array(50).fill("x"))
      assert.strictEqual(loads, 1)
      assert.strictEqual((yield* billed).reads, 1)
    })
  )

  story(
    "an interrupted leader does not take its followers with it",
    Effect.gen(function* () {
      const store = yield* Store
      const gate = yield* Deferred.make<void>()
      const load = Effect.as(Deferred.await(gate), Option.some({ value: bytes("x") }))
      const leader = yield* Effect.fork(store.getOrLoad(quotes, "a", load))
      yield* Effect.yieldNow()
      const follower = yield* Effect.fork(store.getOrLoad(quotes, "a", Effect.die("must not run")))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(leader)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(text(yield* Fiber.join(follower)), "x")
    })
  )

  story(
    "a follower takes over when the leader's load outlasts its patience",
    Effect.gen(function* () {
      const store = yield* Store
      yield* Effect.fork(store.getOrLoad(quotes, "a", Effect.never))
      yield* Effect.yieldNow()
      const follower = yield* Effect.fork(store.getOrLoad(quotes, "a", Effect.succeedSome({ value: bytes("mine") })))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(text(yield* Fiber.join(follower)), "mine")
    })
  )
})

describe("edge", () => {
  const shared = () => {
    const edge = EdgeCacheMemory.make()
    const kv = KvMemory.make()
    const isolate = kvMode({ edge: Layer.succeed(EdgeCache, edge), kv: Layer.succeed(Kv, kv) })
    return isolate
  }

  it.effect("another isolate of the location reads from edge, and ages do not add up", () =>
    Effect.gen(function* () {
      const isolate = shared()
      const collection = define("c", { jitter: 0, memoryTtl: Duration.seconds(60), edgeTtl: Duration.seconds(30) })
      yield* Effect.provide(
        Effect.flatMap(Store, (store) => store.set(collection, "a", bytes("1"))),
        isolate
      )
      yield* TestClock.adjust("29 seconds")
      yield* Effect.provide(
        Effect.gen(function* () {
          const store = yield* Store
          assert.strictEqual((yield* store.get(collection, "a")).tier, "edge")
          yield* TestClock.adjust("30 seconds")
          assert.strictEqual((yield* store.get(collection, "a")).tier, "memory")
          yield* TestClock.adjust("1 seconds")
          assert.strictEqual((yield* store.get(collection, "a")).tier, "kv")
          assert.strictEqual((yield* billed).reads, 1)
        }),
        isolate
      )
    })
  )
})
