import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as SelfTestKv from "../../../src/programs/monitoring/selfTestKv.ts"
import { Kv, KvError, type KvReason } from "../../../src/services/kv/Kv.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { defaults, Settings } from "../../../src/services/settings/Settings.ts"

const settings = Layer.succeed(Settings, defaults)

const metered = Layer.provideMerge(
  KvMetered.layer("CACHE_KV"),
  Layer.mergeAll(KvMemory.layer, LedgerMemory.layer, settings)
)

const refusing = (reason: KvReason): Layer.Layer<Kv | Settings> => {
  const fail = (operation: "get" | "put" | "delete") => Effect.fail(new KvError({ operation, reason }))
  return Layer.merge(
    settings,
    Layer.succeed(Kv, {
      get: () => fail("get"),
      put: () => fail("put"),
      delete: () => fail("delete")
    } as unknown as Kv["Type"])
  )
}

describe("the KV self-test", () => {
  it.effect("writes, reads and deletes one key, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const test = yield* SelfTestKv.make
      const result = yield* test
      assert.deepInclude(result, { ok: true, write: "ok", read: "ok", delete: "ok", sawItsWrite: true, testedAt: 0 })
      const kv = yield* Kv
      assert.deepStrictEqual((yield* kv.list()).keys, [])
    }).pipe(Effect.provide(metered))
  )

  it.effect("runs once a minute at most: three billed operations, however often it is asked", () =>
    Effect.gen(function* () {
      const test = yield* SelfTestKv.make
      const ledger = yield* Ledger
      const first = yield* test
      for (const seconds of [1, 30, 28]) {
        yield* TestClock.adjust(`${seconds} seconds`)
        assert.strictEqual(yield* test, first)
      }
      assert.deepStrictEqual(ledger.report().total.kv, { reads: 1, writes: 1, deletes: 1, lists: 0 })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* test)?.testedAt, 60_000)
      assert.deepStrictEqual(ledger.report().total.kv, { reads: 2, writes: 2, deletes: 2, lists: 0 })
    }).pipe(Effect.provide(metered))
  )

  for (const [reason, ok] of [
    ["RateLimited", true],
    ["DailyLimit", false],
    ["Unavailable", false]
  ] as const) {
    it.effect(`told ${reason} it ${ok ? "passes: that is an answer" : "fails, and says why"}`, () =>
      Effect.gen(function* () {
        const result = yield* Effect.flatten(SelfTestKv.make)
        assert.deepInclude(result, { ok, write: reason, read: reason, delete: reason, sawItsWrite: false })
      }).pipe(Effect.provide(refusing(reason)))
    )
  }

  it.effect("does not wait for a KV that never answers, nor make a second request wait for the first", () => {
    const stuck = Layer.succeed(Kv, {
      put: () => Effect.void,
      get: () => Effect.never,
      delete: () => Effect.void
    } as unknown as Kv["Type"])
    return Effect.gen(function* () {
      const test = yield* SelfTestKv.make
      const first = yield* Effect.fork(test)
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(yield* test)
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* Fiber.join(first), { ok: false, write: "ok", read: "TimedOut", delete: "ok" })
    }).pipe(Effect.provide(Layer.merge(stuck, settings)))
  })

  it.effect("takes a read that does not see the write for KV's right, not for a failure", () => {
    const stale = Layer.succeed(Kv, {
      put: () => Effect.void,
      get: () => Effect.succeed(Option.none()),
      delete: () => Effect.void
    } as unknown as Kv["Type"])
    return Effect.gen(function* () {
      assert.deepInclude(yield* Effect.flatten(SelfTestKv.make), { ok: true, sawItsWrite: false })
    }).pipe(Effect.provide(Layer.merge(stale, settings)))
  })
})
