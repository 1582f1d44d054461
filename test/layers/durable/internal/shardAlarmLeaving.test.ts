import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ShardAlarm from "../../../../src/layers/durable/object/shardAlarm.ts"
import { noOperations } from "../../../../src/layers/durable/object/shardHost.ts"
import * as ShardMemory from "../../../../src/layers/durable/ShardMemory.ts"
import { sealedTo } from "../../../../src/services/durable/model/Topology.ts"

const hour = 3_600_000

const world = (goOn: Effect.Effect<boolean, unknown>) => {
  const shard = ShardMemory.make()
  let due: number | null = null
  const storage: ShardAlarm.AlarmStorage = {
    getAlarm: async () => due,
    setAlarm: async (at) => {
      due = at
    }
  }
  const alarm = ShardAlarm.make(storage, shard, { ...noOperations, goOn }, { everyMillis: hour, sweepRows: 10 })
  const begin = () => shard.setSeal({ ...sealedTo({ generation: 1, shards: 2 }), phase: "moving" })
  return { alarm, begin, shard, due: () => due }
}

describe("the alarm of an object that gives its keys away", () => {
  it.effect("is not set before rows move, and then within seconds, also where one was set for later", () =>
    Effect.gen(function* () {
      const { alarm, begin, due, shard } = world(Effect.succeed(false))
      shard.setSeal(sealedTo({ generation: 1, shards: 2 }))
      alarm.changed(0)
      assert.strictEqual(due(), null)
      shard.apply([{ id: "a/1", stamp: { wall: 1, counter: 0, writer: "w" }, body: undefined }], 1)
      alarm.changed(0)
      assert.strictEqual(due(), hour)
      begin()
      alarm.changed(0)
      assert.strictEqual(due(), 10_000)
      yield* Effect.void
    })
  )

  it.effect("takes some steps at once and fires soon again, until there are no more", () =>
    Effect.gen(function* () {
      let left = 7
      const { alarm, begin, due } = world(Effect.sync(() => --left > 0))
      begin()
      yield* alarm.fire
      assert.deepStrictEqual([left, due()], [2, 1000])
      yield* alarm.fire
      assert.strictEqual(left, 0)
    })
  )

  it.effect("fires again after a failure, less and less often", () =>
    Effect.gen(function* () {
      const { alarm, begin, due } = world(Effect.fail("out of reach"))
      begin()
      yield* alarm.fire
      assert.strictEqual(due(), 60_000)
      yield* alarm.fire
      assert.strictEqual(due(), 120_000)
    })
  )

  it.effect("is set at a start, where the one before was lost", () =>
    Effect.gen(function* () {
      const { alarm, begin, due } = world(Effect.succeed(false))
      begin()
      yield* alarm.begin
      assert.strictEqual(due(), 1000)
    })
  )
})
