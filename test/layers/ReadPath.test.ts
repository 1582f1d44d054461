import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as EdgeCacheMemory from "../../src/layers/EdgeCacheMemory.ts"
import * as KvMemory from "../../src/layers/KvMemory.ts"
import { define } from "../../src/services/Collection.ts"
import { EdgeCache, EdgeCacheError } from "../../src/services/EdgeCache.ts"
import { Kv, KvError } from "../../src/services/Kv.ts"
import { Ledger } from "../../src/services/Ledger.ts"
import { ReadPath } from "../../src/services/ReadPath.ts"
import { type Lookup, Store } from "../../src/services/Store.ts"
import { kvMode } from "../support/worlds.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (lookup: Lookup) => lookup.entry && new TextDecoder().decode(lookup.entry.value)
const billed = Effect.map(Ledger, (ledger) => ledger.report().total.kv)

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

const quotes = define("quotes", { jitter: 0, memoryTtl: Duration.seconds(60), ttl: Duration.minutes(10) })

const story = <E>(
  title: string,
  body: Effect.Effect<void, E, Store | Kv | Ledger | EdgeCache | ReadPath>,
  options: Parameters<typeof kvMode>[0] = {}
) => it.effect(title, () => Effect.provide(body, kvMode(options)))

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
