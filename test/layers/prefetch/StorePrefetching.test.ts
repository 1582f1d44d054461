import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as PrefetchGraph from "../../../src/layers/prefetch/PrefetchGraph.ts"
import * as StorePrefetching from "../../../src/layers/prefetch/StorePrefetching.ts"
import { Background, type BackgroundService } from "../../../src/services/base/Background.ts"
import { Session } from "../../../src/services/base/Session.ts"
import { Budget, type BudgetMode, unlimited } from "../../../src/services/budget/Budget.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { off, Prefetch, type PrefetchService } from "../../../src/services/prefetch/Prefetch.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { MemoryTier } from "../../../src/services/tiers/MemoryTier.ts"
import { storeContract } from "../../contracts/store/Store.ts"
import { durableMode, kvMode } from "../../support/worlds.ts"

const pages = define("pages", { ttl: "1 day", jitter: 0, edgeTtl: 0 })
const collections = new Map([[pages.name, pages]])

const learning = (precision = 0.6) => Layer.succeed(Prefetch, PrefetchGraph.make({ precision }))

const piggyback = (shards = 1, budget = unlimited) =>
  StorePrefetching.layerPiggybacking.pipe(
    Layer.provide(Layer.succeed(Budget, budget)),
    Layer.provideMerge(learning()),
    Layer.provideMerge(durableMode({ shards, settings: { collections } }))
  )

const bytes = (size: number) => new Uint8Array(size).fill(1)

const read = (session: string, key: string) =>
  Effect.flatMap(Store, (store) => Effect.provideService(store.get(pages, key), Session, session))

/** Sessions that read one of ten pages and then its part; nothing is in memory afterwards. */
const visits = 60
const habit = Effect.gen(function* () {
  const store = yield* Store
  for (let page = 0; page < 10; page++) {
    for (const key of [`page${page}`, `part${page}`]) yield* store.set(pages, key, bytes(10))
  }
  yield* TestClock.adjust("3 minutes")
  for (let visit = 0; visit < visits; visit++) {
    yield* read(`visitor ${visit}`, `page${visit % 10}`)
    yield* read(`visitor ${visit}`, `part${visit % 10}`)
    yield* TestClock.adjust("3 minutes")
  }
})

const requests = Effect.map(Ledger, (ledger) => ledger.report().total.durableObject.requests)

describe("StorePrefetching over objects", () => {
  it.effect("what a session asks for next comes along, and is answered from memory", () =>
    Effect.gen(function* () {
      yield* habit
      const before = yield* requests
      assert.strictEqual((yield* read("new", "page0")).tier, "durable")
      const part = yield* read("new", "part0")
      assert.strictEqual(part.tier, "memory")
      assert.strictEqual(part.entry?.value.byteLength, 10)
      assert.strictEqual((yield* requests) - before, 1)
      const stats = (yield* Prefetch).stats()
      assert.isAbove(stats.carried, 0)
      assert.isAbove(stats.timeliness, 0)
      assert.isAbove((yield* MemoryTier).stats().siblings.hits, 0)
    }).pipe(Effect.provide(piggyback()))
  )

  it.effect("a hit on the hot path is learned from with the next read that is not one", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const prefetch = yield* Prefetch
      yield* store.set(pages, "page0", bytes(10))
      const { now } = yield* Effect.map(Effect.clock, (clock) => ({ now: clock.unsafeCurrentTimeMillis() }))
      for (let hit = 0; hit < 10; hit++) assert.isDefined(store.held(pages, "page0", now, "one"))
      assert.isDefined(store.held(pages, "page0", now))
      assert.strictEqual(prefetch.stats().observed, 0)
      yield* read("one", "part0")
      assert.strictEqual(prefetch.stats().observed, 11)
    }).pipe(Effect.provide(piggyback()))
  )

  it.effect("without a session, the reads of one invocation belong together", () =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* store.get(pages, "page0")
      assert.strictEqual((yield* Prefetch).stats().observed, 0)
      const background: BackgroundService = { run: (effect) => Effect.asVoid(Effect.exit(effect)), promise: () => {} }
      yield* Effect.provideService(
        Effect.zip(store.get(pages, "page0"), store.getMany(pages, ["a", "b"])),
        Background,
        background
      )
      const { observed, sessions } = (yield* Prefetch).stats()
      assert.deepStrictEqual([observed, sessions], [3, 1])
    }).pipe(Effect.provide(piggyback()))
  )

  it.effect("while a budget is being saved, nothing comes along", () => {
    let mode: BudgetMode = "normal"
    return Effect.gen(function* () {
      yield* habit
      const before = (yield* Prefetch).stats().carried
      mode = "saving"
      yield* read("new", "page0")
      assert.strictEqual((yield* read("new", "part0")).tier, "durable")
      assert.strictEqual((yield* Prefetch).stats().carried, before)
    }).pipe(Effect.provide(piggyback(1, { ...unlimited, mode: () => mode })))
  })

  it.effect("what is too large for one reply stays where it is", () =>
    Effect.gen(function* () {
      yield* habit
      yield* (yield* Store).set(pages, "part0", bytes(70_000))
      yield* TestClock.adjust("3 minutes")
      yield* read("new", "page0")
      const part = yield* read("new", "part0")
      assert.deepStrictEqual([part.tier, part.entry?.value.byteLength], ["durable", 70_000])
    }).pipe(Effect.provide(piggyback()))
  )

  it.effect("no object is asked for a prediction alone", () =>
    Effect.gen(function* () {
      yield* habit
      for (let visit = 0; visit < 20; visit++) {
        const before = yield* requests
        yield* read(`late ${visit}`, "page0")
        assert.strictEqual((yield* requests) - before, 1)
        yield* TestClock.adjust("3 minutes")
      }
    }).pipe(Effect.provide(piggyback(7)))
  )

  it.effect("a prediction is as old as the answer it came with, and a write is seen at once", () =>
    Effect.gen(function* () {
      yield* habit
      yield* read("new", "page0")
      yield* (yield* Store).set(pages, "part0", bytes(20))
      assert.strictEqual((yield* read("new", "part0")).entry?.value.byteLength, 20)
      yield* TestClock.adjust("3 minutes")
      yield* read("newer", "page0")
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual((yield* read("newer", "part0")).tier, "durable")
    }).pipe(Effect.provide(piggyback()))
  )
})

describe("StorePrefetching over KV", () => {
  const reading = (prefetchLatencyUsd: number) =>
    StorePrefetching.layerReading.pipe(
      Layer.provideMerge(learning()),
      Layer.provideMerge(kvMode({ settings: { collections, prefetchLatencyUsd } }))
    )

  const kvReads = Effect.map(Ledger, (ledger) => ledger.report().total)

  it.effect("a prediction costs no read, unless a millisecond has a price that pays for it", () =>
    Effect.gen(function* () {
      yield* habit
      yield* read("new", "page0")
      assert.strictEqual((yield* read("new", "part0")).tier, "kv")
      const { kv, logical } = yield* kvReads
      assert.isAtMost(kv.reads, logical.reads)
      assert.strictEqual((yield* Prefetch).stats().issued, 0)
    }).pipe(Effect.provide(reading(0)))
  )

  it.effect("where it pays, the read is made ahead, and is not counted as asked for", () =>
    Effect.gen(function* () {
      yield* habit
      yield* read("new", "page0")
      assert.strictEqual((yield* read("new", "part0")).tier, "memory")
      const { logical } = yield* kvReads
      assert.strictEqual(logical.reads, 2 * visits + 2)
    }).pipe(Effect.provide(reading(0.000001)))
  )
})

/** Predicts every id that the contract uses, each time. */
const everything: PrefetchService = {
  ...off,
  enabled: true,
  take: (_, held) => ["a", "b", "c"].flatMap((key) => [`notes/${key}`, `other/${key}`]).filter((id) => !held(id))
}

storeContract("StoreDurable, everything predicted all the time", () =>
  StorePrefetching.layerPiggybacking.pipe(
    Layer.provideMerge(Layer.succeed(Session, "one")),
    Layer.provideMerge(Layer.succeed(Prefetch, everything)),
    Layer.provideMerge(
      durableMode({
        shards: 2,
        settings: { collections: new Map(["notes", "other"].map((name) => [name, define(name, { jitter: 0 })])) }
      })
    )
  )
)
