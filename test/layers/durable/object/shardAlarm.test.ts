import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as ShardAlarm from "../../../../src/layers/durable/object/shardAlarm.ts"
import * as ShardMemory from "../../../../src/layers/durable/ShardMemory.ts"
import { everyMillis, makeObject } from "../../../support/durable/alarmObject.ts"
import { runs } from "../../../support/runs.ts"

describe("the alarm of a shard", () => {
  it.effect("nothing to do, no alarm", () =>
    Effect.gen(function* () {
      const { begin, pass, storage } = makeObject()
      yield* begin
      yield* pass(10 * everyMillis)
      assert.deepStrictEqual([storage.at, storage.sets], [null, 0])
    })
  )

  it.effect("a day of writes costs one row, one request and one snapshot an hour", () =>
    Effect.gen(function* () {
      const { begin, billed, pass, put, storage } = makeObject()
      yield* begin
      for (let minute = 0; minute < 24 * 60; minute += 20) {
        put("a", minute * 60_000)
        yield* pass(20 * 60_000)
      }
      assert.deepStrictEqual([storage.sets, storage.snapshots], [24, 24])
      assert.deepStrictEqual(billed(), { requests: 24, rowsWritten: 24, millis: 0 })
    })
  )

  it.effect("expired rows go on the next alarm, many of them on several in a row, and then it rests", () =>
    Effect.gen(function* () {
      const { begin, pass, put, shard, storage } = makeObject(4)
      yield* begin
      for (let i = 0; i < 10; i++) put(`${i}`, 0, 1000)
      yield* pass(everyMillis + 10_000)
      assert.strictEqual(shard().stats().entries, 0)
      assert.deepStrictEqual([storage.fires, storage.at, shard().dirty()], [3, null, false])
      assert.strictEqual(storage.snapshots, 1)
    })
  )

  it.effect("a flush that fails is tried again, later and later, and never given up", () =>
    Effect.gen(function* () {
      const { begin, pass, put, shard, storage } = makeObject()
      yield* begin
      storage.outage = true
      put("a", 0)
      yield* pass(everyMillis + 60_000 + 120_000 + 240_000)
      assert.strictEqual(storage.fires, 4)
      yield* pass(100 * everyMillis)
      assert.isBelow(storage.fires, 120)
      assert.isTrue(shard().dirty())
      storage.outage = false
      yield* pass(everyMillis)
      assert.isFalse(shard().dirty())
    })
  )

  it.effect("an alarm that the platform lost is set again, one that is only late is not", () =>
    Effect.gen(function* () {
      const { begin, put, restart, storage } = makeObject()
      yield* begin
      put("a", 0)
      yield* TestClock.setTime(everyMillis + 60_000)
      yield* restart
      assert.deepStrictEqual([storage.at, storage.sets], [everyMillis, 1])
      yield* TestClock.setTime(everyMillis + 200_000)
      yield* restart
      assert.deepStrictEqual([storage.at, storage.sets], [2 * everyMillis + 200_000, 2])
    })
  )

  it.effect("fails, for the platform to fire again, only when the next alarm cannot be set", () =>
    Effect.gen(function* () {
      const { storage } = makeObject()
      const shard = ShardMemory.make()
      const broken = (): never => {
        throw new Error("storage")
      }
      const ill = { ...shard, dirty: () => true, sweep: broken, stats: broken }
      const operations = { flush: Effect.die("flush"), restore: () => Effect.succeed(0) }
      const options = { everyMillis, sweepRows: 10 }
      yield* ShardAlarm.make(storage, ill, operations, options).fire
      assert.strictEqual(storage.at, 60_000)
      const refusing = { ...storage, setAlarm: () => Promise.reject(new Error("storage")) }
      const exit = yield* Effect.exit(ShardAlarm.make(refusing, ill, operations, options).fire)
      assert.strictEqual(exit._tag, "Failure")
    })
  )

  it.effect.prop(
    "whatever happens, a dirty shard has an alarm, and a cycle costs one row",
    [
      fc.array(
        fc.oneof(
          fc.record({
            kind: fc.constant("put" as const),
            id: fc.nat(5),
            ttl: fc.integer({ min: 1, max: 3 * everyMillis })
          }),
          fc.record({ kind: fc.constant("pass" as const), millis: fc.nat(2 * everyMillis) }),
          fc.record({ kind: fc.constantFrom("restart" as const, "outage" as const, "recover" as const) })
        ),
        { maxLength: 30 }
      )
    ],
    ([steps]) =>
      Effect.gen(function* () {
        const { begin, pass, put, restart, shard, storage } = makeObject(2)
        yield* begin
        let begun = 0
        for (const step of steps) {
          const now = yield* TestClock.currentTimeMillis
          if (step.kind === "put") {
            // Without an alarm, or with one that waits for an expiry only, a change sets its own.
            if (storage.at === null || storage.at > now + everyMillis) begun += 1
            put(`${step.id}`, now, now + step.ttl)
          } else if (step.kind === "pass") yield* pass(step.millis)
          else if (step.kind === "restart") yield* restart
          else storage.outage = step.kind === "outage"
          if (shard().dirty()) assert.isNotNull(storage.at)
          assert.isAtMost(storage.sets, begun + storage.fires)
        }
        storage.outage = false
        yield* pass(10 * everyMillis)
        assert.deepStrictEqual([shard().stats().entries, shard().dirty(), storage.at], [0, false, null])
      }),
    { fastCheck: { numRuns: runs(50) } }
  )
})
