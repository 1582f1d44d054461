import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvWithinInvocation from "../../../src/layers/kv/KvWithinInvocation.ts"
import { Background, type BackgroundService } from "../../../src/services/base/Background.ts"
import { openConnections } from "../../../src/services/base/model/OpenConnections.ts"
import { Kv, type KvError } from "../../../src/services/kv/Kv.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store, type StoreResult } from "../../../src/services/store/Store.ts"
import { kvMode, kvModeBatching } from "../../support/worlds.ts"

const notes = define("notes", { jitter: 0, memoryTtl: 0 })
const value = new TextEncoder().encode("1")
const binary = Uint8Array.of(255, 0)

const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`)
const writes = (count: number, of = value) => keys(count).map((key) => ({ key, value: of }))
const done = (results: ReadonlyArray<StoreResult<unknown>>) => results.filter(({ _tag }) => _tag === "Done").length

/** A KV whose operations take so long each, and never answer for keys that `sticks` says. */
const slow = (millis: number, sticks: (key: string) => boolean = () => false) => {
  const kv = KvMemory.make()
  const asked: Array<string> = []
  const after = <A>(key: string, effect: Effect.Effect<A, KvError>) =>
    Effect.suspend(() => {
      asked.push(key)
      return sticks(key) ? Effect.never : Effect.delay(effect, millis)
    })
  const layer = Layer.succeed(Kv, {
    get: (key, options) => after(key, kv.get(key, options)),
    getBulk: (many, options) => after(many.join(), kv.getBulk(many, options)),
    put: (key, bytes, options) => after(key, kv.put(key, bytes, options)),
    delete: (key) => after(key, kv.delete(key)),
    list: (options) => after("list", kv.list(options))
  })
  return { kv, asked, layer }
}

/** Runs to the end, whatever time it takes; how long that was. */
const run = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.timed(effect))
    while (Option.isNone(yield* Fiber.poll(fiber))) yield* TestClock.adjust("150 millis")
    const [took, answer] = yield* Fiber.join(fiber)
    return { answer, millis: Duration.toMillis(took) }
  })

for (const [name, world] of Object.entries({ StoreKv: kvMode, "StoreKv with its batcher": kvModeBatching })) {
  describe(`a batch in KV mode (${name})`, () => {
    it.effect("of 400 writes at 150 ms each is taken whole", () => {
      const { kv, layer } = slow(150)
      return Effect.gen(function* () {
        const store = yield* Store
        const { answer, millis } = yield* run(store.writeMany(notes, writes(400)))
        assert.strictEqual(done(answer), 400)
        assert.isAtMost(millis, (400 / openConnections + 1) * 150 + 200)
        assert.strictEqual((yield* kv.list({ prefix: "~notes/" })).keys.length, 400)
      }).pipe(Effect.provide(world({ kv: layer })))
    })

    it.effect("fails for the keys that KV does not answer for, and for no other", () => {
      const stuck = new Set(["~notes/k3", "~notes/k200"])
      const { layer } = slow(150, (key) => stuck.has(key))
      return Effect.gen(function* () {
        const store = yield* Store
        const { answer } = yield* run(store.writeMany(notes, writes(250)))
        const failed = answer.flatMap((result, index) => (result._tag === "Failed" ? [index] : []))
        assert.deepStrictEqual(failed, [3, 200])
        const removed = yield* run(
          store.writeMany(
            notes,
            keys(250).map((key) => ({ key, remove: true as const }))
          )
        )
        assert.strictEqual(done(removed.answer), 248)
      }).pipe(Effect.provide(world({ kv: layer })))
    })

    it.effect("is given up when KV answers for none, and not key by key", () => {
      const { asked, layer } = slow(150, () => true)
      return Effect.gen(function* () {
        const store = yield* Store
        const { answer, millis } = yield* run(store.writeMany(notes, writes(1000)))
        assert.strictEqual(done(answer), 0)
        assert.isAtMost(millis, 11_000)
        assert.isAtMost(asked.length, 3 * openConnections)
      }).pipe(Effect.provide(world({ kv: layer })))
    })

    it.effect("of 250 reads whose values are no text has each of them, though they are read one by one", () => {
      const { kv, layer } = slow(750)
      return Effect.gen(function* () {
        const store = yield* Store
        for (const key of keys(250)) yield* kv.put(`~notes/${key}`, binary)
        const { answer, millis } = yield* run(store.getMany(notes, keys(250)))
        assert.strictEqual(done(answer), 250)
        assert.isAbove(millis, 5000)
      }).pipe(Effect.provide(world({ kv: layer })))
    })

    it.effect("of reads fails for the keys that KV does not answer for, and for no other", () => {
      const { kv, layer } = slow(150, (key) => key === "~notes/k7")
      return Effect.gen(function* () {
        const store = yield* Store
        for (const key of keys(150)) yield* kv.put(`~notes/${key}`, binary)
        const { answer } = yield* run(store.getMany(notes, keys(150)))
        const failed = answer.flatMap((result, index) => (result._tag === "Failed" ? [index] : []))
        assert.deepStrictEqual(failed, [7])
      }).pipe(Effect.provide(world({ kv: layer })))
    })
  })
}

describe("the operations of one invocation", () => {
  const invocation = (): BackgroundService => ({
    run: (effect) => Effect.asVoid(Effect.exit(effect)),
    promise: () => undefined,
    spent: { kv: 0, edge: 0 }
  })

  const limited = (allowed: number) => {
    const kv = KvMemory.make()
    return { kv, layer: kvMode({ kv: Layer.succeed(Kv, KvWithinInvocation.make(kv, allowed)) }) }
  }

  it.effect("are spent key by key: what does not fit fails by itself, and fits into the next one", () => {
    const { kv, layer } = limited(50)
    return Effect.gen(function* () {
      const store = yield* Store
      const batch = (from: ReadonlyArray<{ key: string; value: Uint8Array }>) =>
        Effect.provideService(store.writeMany(notes, from), Background, invocation())
      const first = yield* batch(writes(120, binary))
      assert.strictEqual(done(first), 50)
      const refused = first.find((result) => result._tag === "Failed")
      assert.deepInclude(refused?.error, { reason: "Unavailable", retryAfter: 1 })
      const rest = writes(120, binary).filter((_, index) => first[index]!._tag === "Failed")
      const second = yield* batch(rest)
      assert.strictEqual(done(second), 50)
      assert.strictEqual(done(yield* batch(rest.slice(50))), 20)
      assert.strictEqual((yield* kv.list({ prefix: "~notes/" })).keys.length, 120)
      const read = yield* Effect.provideService(store.getMany(notes, keys(120)), Background, invocation())
      assert.strictEqual(done(read), 48)
    }).pipe(Effect.provide(layer))
  })

  it.effect("that a clear needs are spread over as many invocations as it takes", () => {
    const { layer } = limited(50)
    return Effect.gen(function* () {
      const store = yield* Store
      yield* store.writeMany(notes, writes(120))
      const clear = Effect.suspend(() => Effect.provideService(store.clear(notes), Background, invocation()))
      assert.deepStrictEqual(yield* clear, { deleted: 49, complete: false })
      assert.deepStrictEqual(yield* clear, { deleted: 49, complete: false })
      assert.deepStrictEqual(yield* clear, { deleted: 22, complete: true })
    }).pipe(Effect.provide(layer))
  })

  it.effect("are not limited where there is no invocation", () => {
    const { layer } = limited(1)
    return Effect.gen(function* () {
      assert.strictEqual(done(yield* (yield* Store).writeMany(notes, writes(10))), 10)
    }).pipe(Effect.provide(layer))
  })
})
