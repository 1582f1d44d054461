import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as DurableCacheMemory from "../../../src/layers/durable/DurableCacheMemory.ts"
import * as DurableShards from "../../../src/layers/durable/durableShards.ts"
import { type CallLimits, deadlineOf, guarded } from "../../../src/layers/durable/guardedCalls.ts"
import type { ShardCall } from "../../../src/layers/durable/object/shardHandoff.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { DurableCacheError } from "../../../src/services/durable/DurableCache.ts"
import { shardOf } from "../../../src/services/durable/Shard.ts"
import { write } from "../../support/durable/shardWrite.ts"
import { runs } from "../../support/runs.ts"

const limits: CallLimits = {
  deadline: deadlineOf(Duration.seconds(2)),
  breaker: { threshold: 3, cooldownMillis: 10_000 }
}

const ids = Array.from({ length: 40 }, (_, number) => `things/${number}`)

/** What becomes of calls to one object. */
const ills: { readonly [name: string]: Effect.Effect<never, unknown> } = {
  throws: Effect.fail(new Error("Network connection lost.")),
  hangs: Effect.never,
  "is overloaded": Effect.fail(Object.assign(new Error("overloaded"), { overloaded: true })),
  "is reset": Effect.fail(Object.assign(new Error("reset"), { retryable: true }))
}

const inTime = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust("10 seconds")
    return yield* Fiber.join(fiber)
  })

describe("calls with limits of their own for each object", () => {
  it.effect.prop(
    "with one shard of N away, every key of the others is read and written as ever",
    [fc.integer({ min: 2, max: 8 }), fc.nat(), fc.constantFrom(...Object.keys(ills))],
    ([count, which, ill]) =>
      Effect.gen(function* () {
        const away = which % count
        let isAway = false
        const sound = DurableCacheMemory.calls(
          Array.from({ length: count }, () => ShardMemory.make()),
          LedgerMemory.make(0)
        )
        const call: ShardCall = (object, method, ...args) =>
          isAway && object === `shard-${away}` ? ills[ill]! : sound(object, method, ...args)
        const cache = DurableShards.make(guarded(call, limits), { generation: 0, shards: count }, limits.deadline)
        yield* cache.apply(ids.map((id) => write(id)))
        isAway = true
        for (let times = 0; times < 6; times++) {
          const found = yield* inTime(cache.getMany(ids))
          const written = yield* inTime(cache.apply(ids.map((id) => write(id, { value: `${times}` }))))
          for (const [index, id] of ids.entries()) {
            const isHit = shardOf(id, count) === away
            assert.strictEqual(found[index] instanceof DurableCacheError, isHit)
            assert.strictEqual(written[index] instanceof DurableCacheError, isHit)
            if (!isHit) assert.isDefined(found[index])
          }
        }
      }),
    { fastCheck: { numRuns: runs(12) } }
  )

  it.effect("a large call that comes to nothing opens no breaker; small ones do, and one reply closes it", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      let ill = true
      const sound = DurableCacheMemory.calls([ShardMemory.make()], LedgerMemory.make(0))
      const call: ShardCall = (object, method, ...args) => {
        asked.push(method)
        return ill ? Effect.fail(new Error("exceeded its memory limit and was reset")) : sound(object, method, ...args)
      }
      const guardedCall = guarded(call, limits)
      const large = write("things/large", { value: "x".repeat(1_100_000) })
      for (let times = 0; times < 9; times++) yield* Effect.exit(guardedCall("shard-0", "apply", [large]))
      assert.strictEqual(asked.length, 9)
      for (let times = 0; times < 9; times++) yield* Effect.exit(guardedCall("shard-0", "getMany", ["a"]))
      assert.strictEqual(asked.length, 12)
      ill = false
      yield* TestClock.adjust("10 seconds")
      for (let times = 0; times < 3; times++) yield* guardedCall("shard-0", "getMany", ["a"])
      assert.strictEqual(asked.length, 15)
    })
  )

  it.effect("what is retryable is tried once more, an overloaded object never, and a write never by itself", () =>
    Effect.gen(function* () {
      let asked = 0
      const failing = (error: object) =>
        guarded(() => {
          asked += 1
          return Effect.fail(error)
        }, limits)
      yield* Effect.exit(failing({ retryable: true })("shard-0", "getMany", ["a"]))
      assert.strictEqual(asked, 2)
      yield* Effect.exit(failing({ retryable: true, overloaded: true })("shard-0", "getMany", ["a"]))
      assert.strictEqual(asked, 3)
      yield* Effect.exit(failing({ retryable: true })("shard-0", "apply", [write("a")]))
      assert.strictEqual(asked, 4)
    })
  )
})
