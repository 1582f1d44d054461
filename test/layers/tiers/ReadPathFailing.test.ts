import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import { Kv, KvError } from "../../../src/services/kv/Kv.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { EdgeCache, EdgeCacheError } from "../../../src/services/tiers/EdgeCache.ts"
import { ReadPath } from "../../../src/services/tiers/ReadPath.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"
import { text } from "../../support/store/lookups.ts"
import { quotes } from "../../support/tiers/readStories.ts"
import { kvMode } from "../../support/worlds.ts"

/** KV in a Map whose reads can be made to fail or hang. */
const switchable = () => {
  const kv = KvMemory.make()
  const mode = { reads: "well" as "well" | "fail" | "hang" }
  const reading = <A>(effect: Effect.Effect<A, KvError>) =>
    Effect.suspend(() =>
      mode.reads === "well"
        ? effect
        : mode.reads === "hang"
          ? Effect.never
          : Effect.fail(new KvError({ operation: "get", reason: "Unavailable" }))
    )
  return {
    mode,
    layer: Layer.succeed(Kv, {
      ...kv,
      get: (...parameters) => reading(kv.get(...parameters)),
      getBulk: (...parameters) => reading(kv.getBulk(...parameters))
    })
  }
}

describe("edge out of order", () => {
  const stuck = Layer.succeed(EdgeCache, {
    match: () => Effect.never,
    put: () => Effect.never,
    delete: () => Effect.never,
    enabled: true
  })

  it.effect(
    "an edge cache that never answers delays a read by its deadline, and not at all once its breaker is open",
    () =>
      Effect.gen(function* () {
        const store = yield* Store
        const kv = yield* Kv
        yield* kv.put("a", bytes("1"))
        const readNew = (key: string) =>
          Effect.gen(function* () {
            const reader = yield* Effect.fork(store.get(define("default"), key))
            let waited = 0
            while ((yield* Fiber.poll(reader))._tag === "None") {
              yield* TestClock.adjust("1 millis")
              waited++
            }
            return waited
          })
        assert.isAtMost(yield* readNew("a"), 101)
        for (let i = 0; i < 5; i++) yield* readNew(`b${i}`)
        assert.isAtMost(yield* readNew("c"), 1)
        assert.strictEqual((yield* ReadPath).stats().edgeBreaker, "open")
      }).pipe(Effect.provide(kvMode({ edge: stuck })))
  )

  it.effect("an edge cache that fails is skipped: reads and writes succeed", () =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* store.set(quotes, "a", bytes("1"))
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(text(yield* store.get(quotes, "a")), "1")
      assert.isAbove((yield* ReadPath).stats().edgeSkipped, 0)
    }).pipe(
      Effect.provide(
        kvMode({
          edge: Layer.succeed(EdgeCache, {
            match: () => Effect.fail(new EdgeCacheError({ operation: "match", reason: "Unavailable" })),
            put: () => Effect.fail(new EdgeCacheError({ operation: "put", reason: "Refused" })),
            delete: () => Effect.fail(new EdgeCacheError({ operation: "delete", reason: "Unavailable" })),
            enabled: true
          })
        })
      )
    )
  )
})

describe("KV out of order", () => {
  it.effect(
    "a KV that hangs fails a read at its deadline with Unavailable, and skips KV once the breaker is open",
    () => {
      const kv = switchable()
      return Effect.gen(function* () {
        const store = yield* Store
        kv.mode.reads = "hang"
        for (let i = 0; i < 5; i++) {
          const reader = yield* Effect.fork(Effect.flip(store.get(quotes, `k${i}`)))
          yield* TestClock.adjust("5 seconds")
          assert.strictEqual((yield* Fiber.join(reader)).reason, "Unavailable")
        }
        assert.strictEqual((yield* Effect.flip(store.get(quotes, "now"))).reason, "Unavailable")
        kv.mode.reads = "well"
        yield* TestClock.adjust("10 seconds")
        assert.isUndefined((yield* store.get(quotes, "now")).entry)
      }).pipe(Effect.provide(kvMode({ kv: kv.layer })))
    }
  )

  it.effect("with a loader, a KV that fails does not fail the read", () => {
    const kv = switchable()
    return Effect.gen(function* () {
      const store = yield* Store
      kv.mode.reads = "fail"
      assert.strictEqual(text(yield* store.getOrLoad(quotes, "a", Effect.succeedSome({ value: bytes("x") }))), "x")
    }).pipe(Effect.provide(kvMode({ kv: kv.layer })))
  })

  it.effect("a stale view of KV never replaces what this isolate has just written", () => {
    const kv = KvMemory.make()
    return Effect.gen(function* () {
      const store = yield* Store
      const before = yield* Effect.zipRight(store.set(quotes, "a", bytes("old")), kv.get("~quotes/a"))
      yield* TestClock.adjust("1 seconds")
      yield* store.set(quotes, "a", bytes("new"))
      const { metadata, value } = Option.getOrThrow(before)
      yield* kv.put("~quotes/a", value, { metadata })
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(text(yield* store.get(quotes, "a")), "new")
    }).pipe(Effect.provide(kvMode({ kv: Layer.succeed(Kv, kv), memoryBytes: 1_000_000 })))
  })
})
