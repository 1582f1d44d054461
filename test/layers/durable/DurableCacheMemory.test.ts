import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as DurableCacheMemory from "../../../src/layers/durable/DurableCacheMemory.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import type { Shard } from "../../../src/services/durable/Shard.ts"
import { contract, type World } from "../../contracts/durable/DurableCache.ts"
import { operationsOf } from "../../support/durable/shardOperations.ts"
import { write } from "../../support/durable/shardWrite.ts"
import { runs } from "../../support/runs.ts"
import { largeValues } from "../../support/snapshots/largeValues.ts"

const world = (count: number): World => {
  const ledger = LedgerMemory.make(0)
  const shards = Array.from({ length: count }, () => ShardMemory.make())
  const cache = DurableCacheMemory.make(shards, ledger, (shard) => operationsOf(shards[shard]!))
  return { cache, billed: () => ledger.report().total.durableObject, large: largeValues(cache) }
}

contract("DurableCacheMemory", world, { runs: runs(200) })

const seconds = Duration.seconds

/** Runs the body on a clock that counts the timers that are running. */
const counted = (body: (timers: () => number) => Effect.Effect<void, unknown>) =>
  Effect.flatMap(TestClock.testClock(), (clock) => {
    let running = 0
    const sleep = (duration: Duration.Duration) =>
      Effect.suspend(() => {
        running += 1
        return Effect.ensuring(
          clock.sleep(duration),
          Effect.sync(() => {
            running -= 1
          })
        )
      })
    return Effect.withClock(
      body(() => running),
      Object.assign(Object.create(clock) as typeof clock, { sleep })
    )
  })

describe("waiting for a lease", () => {
  it.effect("lasts exactly as long as the patience", () =>
    Effect.gen(function* () {
      const { cache } = world(1)
      yield* cache.lease("a", seconds(100))
      const waiter = yield* Effect.fork(cache.lease("a", seconds(5)))
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual((yield* Fiber.poll(waiter))._tag, "None")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(waiter))._tag, "Busy")
    })
  )

  it.effect("leaves no timer behind, whichever way it ends", () =>
    counted((timers) =>
      Effect.gen(function* () {
        const { cache } = world(1)
        const leased = yield* cache.lease("a", seconds(100))
        const waiters = yield* Effect.forkAll(Array.from({ length: 5 }, () => cache.lease("a", seconds(50))))
        const leaving = yield* Effect.fork(cache.lease("a", seconds(50)))
        const busy = yield* Effect.fork(cache.lease("a", seconds(10)))
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(timers(), 7)
        yield* Fiber.interrupt(leaving)
        assert.strictEqual(timers(), 6)
        yield* TestClock.adjust("9 seconds")
        assert.strictEqual((yield* Fiber.join(busy))._tag, "Busy")
        assert.strictEqual(timers(), 5)
        yield* cache.apply([write("a", leased._tag === "Granted" ? { lease: leased.lease } : {})])
        const found = yield* Fiber.join(waiters)
        assert.deepStrictEqual(
          found.map(({ _tag }) => _tag),
          Array(5).fill("Found")
        )
        assert.strictEqual(timers(), 0)
      })
    )
  )

  it.effect("who waits in turn gets the lease the moment it ends, the first first", () =>
    Effect.gen(function* () {
      const { cache } = world(1)
      yield* cache.lease("a", seconds(10))
      const first = yield* Effect.fork(cache.lease("a", seconds(30)))
      yield* TestClock.adjust("1 millis")
      const second = yield* Effect.fork(cache.lease("a", seconds(60)))
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual((yield* Fiber.join(first))._tag, "Granted")
      assert.strictEqual((yield* Fiber.poll(second))._tag, "None")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(second))._tag, "Granted")
    })
  )

  it.effect("one who gives up waiting stands in nobody's way", () =>
    Effect.gen(function* () {
      const { cache } = world(1)
      const leased = yield* cache.lease("a", seconds(10))
      const first = yield* Effect.fork(cache.lease("a", seconds(30)))
      yield* TestClock.adjust("1 millis")
      const second = yield* Effect.fork(cache.lease("a", seconds(30)))
      yield* TestClock.adjust("1 millis")
      yield* Fiber.interrupt(first)
      yield* cache.release("a", leased._tag === "Granted" ? leased.lease : 0)
      assert.strictEqual((yield* Fiber.join(second))._tag, "Granted")
    })
  )

  it.effect("a lease granted to one who is just then interrupted goes on to the next", () =>
    Effect.gen(function* () {
      const { cache } = world(1)
      const leased = yield* cache.lease("a", seconds(100))
      const first = yield* Effect.fork(cache.lease("a", seconds(50)))
      yield* TestClock.adjust("1 millis")
      const second = yield* Effect.fork(cache.lease("a", seconds(50)))
      yield* TestClock.adjust("1 millis")
      yield* cache.release("a", leased._tag === "Granted" ? leased.lease : 0)
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* Fiber.join(second))._tag, "Granted")
    })
  )
})

describe("DurableCacheMemory", () => {
  it("takes the same steps in virtual time, with nothing native to wait for", () => {
    const { cache } = world(2)
    const time = VirtualTime.make(0, 1)
    const exit = time.run(
      Effect.gen(function* () {
        yield* cache.lease("a", seconds(10))
        const leased = yield* cache.lease("a", seconds(60))
        return leased._tag
      })
    )
    assert.deepStrictEqual([exit._tag === "Success" && exit.value, time.now()], ["Granted", 10_000])
  })

  it.effect("a shard that throws fails the calls that it concerns, with a typed error, and no others", () =>
    Effect.gen(function* () {
      const sound = ShardMemory.make()
      const broken = (): never => {
        throw new Error("database or disk is full")
      }
      const ill: Shard["Type"] = { ...sound, apply: broken, getMany: broken, list: broken }
      const ledger = LedgerMemory.make(0)
      const cache = DurableCacheMemory.make([ShardMemory.make(), ill], ledger)
      const results = yield* cache.apply(Array.from({ length: 10 }, (_, i) => write(`a/${i}`)))
      const kinds = new Set(results.map((result) => ("outcome" in result ? result.outcome : result.reason)))
      assert.deepStrictEqual([...kinds].sort(), ["Unavailable", "applied"])
      const error = yield* Effect.flip(cache.list("", undefined, 10))
      assert.deepStrictEqual([error.operation, error.reason], ["list", "Unavailable"])
      assert.match(String(error.cause), /disk is full/)
    })
  )
})
