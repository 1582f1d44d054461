import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as ShardAlarm from "../../../../src/layers/durable/object/shardAlarm.ts"
import type { ShardOperations } from "../../../../src/layers/durable/object/shardHost.ts"
import * as ShardRecovery from "../../../../src/layers/durable/object/shardRecovery.ts"
import * as ShardMemory from "../../../../src/layers/durable/ShardMemory.ts"
import { everyMillis, makeObject } from "../../../support/durable/alarmObject.ts"
import { write } from "../../../support/durable/shardWrite.ts"
import { runs } from "../../../support/runs.ts"

describe("the alarm of the first shard", () => {
  const fourHours = 4 * everyMillis

  /** An object that counts how often it looked for outside writes. */
  const sweeping = (
    options: { readonly every?: number; readonly look?: () => Effect.Effect<unknown, unknown> } = {}
  ) => {
    const looks: Array<number> = []
    const run = Effect.flatMap(TestClock.currentTimeMillis, (now) => {
      looks.push(now)
      return options.look?.() ?? Effect.void
    })
    const adopt = { everyMillis: fourHours, run }
    return { looks, ...makeObject(1000, { adopt, ...(options.every !== undefined && { every: options.every }) }) }
  }

  it.effect("fires every four hours where there is nothing to do, for one row each", () =>
    Effect.gen(function* () {
      const { begin, looks, pass, storage } = sweeping()
      yield* begin
      yield* pass(24 * everyMillis)
      assert.deepStrictEqual(
        looks,
        [4, 8, 12, 16, 20, 24].map((hour) => hour * everyMillis)
      )
      assert.deepStrictEqual([storage.sets, storage.snapshots], [7, 0])
    })
  )

  it.effect("a change is saved an hour later at most, whatever the alarm was set for", () =>
    Effect.gen(function* () {
      const { begin, pass, put, restart, shard, storage } = sweeping()
      yield* begin
      assert.strictEqual(storage.at, fourHours)
      yield* pass(1000)
      put("a", 1000)
      put("b", 1000)
      assert.deepStrictEqual([storage.at, storage.sets], [everyMillis + 1000, 2])
      yield* restart
      assert.strictEqual(storage.at, everyMillis + 1000)
      yield* pass(everyMillis)
      assert.deepStrictEqual([storage.saved, shard().dirty()], [2, false])
    })
  )

  it.effect("looks every four hours also where many shards save themselves more rarely", () =>
    Effect.gen(function* () {
      const { begin, looks, pass, put } = sweeping({ every: 10 * everyMillis })
      yield* begin
      put("a", 0)
      yield* pass(24 * everyMillis)
      assert.strictEqual(looks.length, 6)
    })
  )

  for (const [how, look] of [
    ["fails", () => Effect.fail("no KV")],
    ["dies", () => Effect.die("a bug")],
    ["never ends", () => Effect.never]
  ] as const) {
    it.effect(`a look that ${how} is tried again soon, and holds up no flush`, () =>
      Effect.gen(function* () {
        const { begin, looks, put, fire, shard, storage } = sweeping({ look })
        yield* begin
        put("a", 0)
        const firing = yield* Effect.fork(fire)
        yield* TestClock.adjust("5 minutes")
        yield* Fiber.join(firing)
        assert.deepStrictEqual([looks.length, storage.snapshots, shard().dirty()], [1, 1, false])
        assert.strictEqual(storage.at, (how === "never ends" ? 300_000 : 0) + 60_000)
      })
    )
  }
})

describe("an object that recovers", () => {
  /** Recovers as often as it is asked, and as told. */
  const recovering = (recover: () => Effect.Effect<unknown, unknown>, adopt?: ShardOperations["adopt"]) => {
    const tries: Array<number> = []
    const recovery = ShardRecovery.make(
      () =>
        Effect.flatMap(TestClock.currentTimeMillis, (now) => {
          tries.push(now)
          return Effect.asVoid(recover())
        }),
      () => false
    )
    return { tries, recovery, ...makeObject(1000, { recovery, ...(adopt !== undefined && { adopt }) }) }
  }

  it.effect("is done with it at its start, and saves what it took in an hour later", () =>
    Effect.gen(function* () {
      const { begin, pass, shard, storage, tries } = recovering(() =>
        Effect.sync(() => shard().apply([write("a", { wall: 1 })], 1))
      )
      yield* begin
      assert.deepStrictEqual([tries, storage.at], [[0], everyMillis])
      yield* pass(everyMillis)
      assert.deepStrictEqual([storage.snapshots, shard().dirty()], [1, false])
    })
  )

  for (const [how, recover] of [
    ["fails", () => Effect.fail("no KV")],
    ["dies", () => Effect.die("a bug")]
  ] as const) {
    it.effect(`when that ${how} it saves nothing, and its alarm tries again until it succeeds`, () =>
      Effect.gen(function* () {
        let well = false
        const { begin, pass, put, shard, storage, tries } = recovering(() => (well ? Effect.void : recover()))
        yield* begin
        assert.strictEqual(storage.at, 1000)
        put("a", 0)
        assert.strictEqual(storage.sets, 1)
        yield* pass(7000)
        assert.deepStrictEqual(tries, [0, 1000, 2000, 4000])
        yield* pass(2 * everyMillis)
        assert.isAbove(tries.length, 100)
        assert.deepStrictEqual([storage.snapshots, shard().dirty()], [0, true])
        well = true
        yield* pass(60_000)
        assert.deepStrictEqual([storage.snapshots, shard().dirty()], [1, false])
      })
    )
  }

  it.effect("holds its callers back for two seconds at most, and its alarm for five minutes, and saves nothing", () =>
    Effect.gen(function* () {
      const { begin, put, fire, shard, storage } = recovering(() => Effect.never)
      const beginning = yield* Effect.fork(begin)
      yield* TestClock.adjust("1 seconds")
      assert.isNull(beginning.unsafePoll())
      yield* TestClock.adjust("1 seconds")
      yield* Fiber.join(beginning)
      assert.strictEqual(storage.at, 1000)
      put("a", 10_000)
      const firing = yield* Effect.fork(fire)
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(firing)
      assert.deepStrictEqual([storage.snapshots, shard().dirty()], [0, true])
      assert.strictEqual(storage.at, 302_000 + 1000)
    })
  )

  it.effect("recovers before it looks for outside writes", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const step = (name: string) => Effect.sync(() => order.push(name))
      const { begin, pass } = recovering(() => step("recover"), { everyMillis, run: step("adopt") })
      yield* begin
      yield* pass(everyMillis)
      assert.deepStrictEqual(order, ["recover", "adopt"])
    })
  )
})

describe("the steps of an alarm", () => {
  it.effect("come to ten minutes in all, and what there was no time for comes a second later", () =>
    Effect.gen(function* () {
      const hang = Effect.never
      const shard = { ...ShardMemory.make(), dirty: () => true }
      let at: number | null = null
      const storage = {
        getAlarm: async () => at,
        setAlarm: async (next: number) => {
          at = next
        }
      }
      const operations = {
        flush: hang,
        restore: () => Effect.succeed(0),
        goOn: hang,
        adopt: { everyMillis, run: hang }
      }
      const { fire } = ShardAlarm.make(storage, shard, operations, { everyMillis, sweepRows: 10 })
      const firing = yield* Effect.fork(fire)
      yield* TestClock.adjust("10 minutes")
      assert.isNotNull(firing.unsafePoll())
      assert.strictEqual(at, 601_000)
    })
  )

  it.effect("begin with the snapshot, however many rows are over", () =>
    Effect.gen(function* () {
      const { begin, pass, put, storage } = makeObject(10)
      yield* begin
      const minutes = Math.max(runs(300), 130)
      for (let minute = 0; minute < minutes; minute++) {
        for (let i = 0; i < 30; i++) put(`${minute}/${i}`, minute * 60_000, minute * 60_000 + 1000)
        yield* pass(60_000)
      }
      assert.isAtLeast(storage.snapshots, Math.ceil(minutes / 60) - 1)
    })
  )
})
