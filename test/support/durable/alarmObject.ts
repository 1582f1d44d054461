import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as ShardAlarm from "../../../src/layers/durable/object/shardAlarm.ts"
import type { ShardOperations } from "../../../src/layers/durable/object/shardHost.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import type { makeSnapshotPace } from "../../../src/layers/snapshots/snapshotPace.ts"
import { operationsOf } from "./shardOperations.ts"
import { write } from "./shardWrite.ts"

/** What an object is told, unless said otherwise. */
export const everyMillis = 3_600_000

/** An object over storage that outlives it: its alarm fires when `pass` comes by its time. */
export const makeObject = (
  sweepRows = 1000,
  {
    every = everyMillis,
    pace,
    ...beside
  }: Pick<ShardOperations, "adopt" | "recovery"> & {
    readonly every?: number
    readonly pace?: ReturnType<typeof makeSnapshotPace>
  } = {}
) => {
  const rows = ShardMemory.disk()
  const storage = {
    at: null as number | null,
    sets: 0,
    fires: 0,
    snapshots: 0,
    saved: 0,
    outage: false,
    getAlarm: () => Promise.resolve(storage.at),
    setAlarm: (at: number) => {
      storage.at = at
      storage.sets += 1
      return Promise.resolve()
    }
  }
  const born = () => {
    const shard = ShardMemory.make(rows)
    const { flush, restore } = operationsOf(shard)
    const saved = Effect.tap(flush, () =>
      Effect.sync(() => {
        storage.snapshots += 1
        storage.saved = shard.stats().entries
      })
    )
    const save = Effect.suspend(() => (storage.outage ? Effect.fail("no KV") : saved))
    const operations =
      pace === undefined
        ? { ...beside, flush: save, restore }
        : { ...beside, flush: pace.flush(save), notBefore: pace.notBefore, restore }
    return { shard, alarm: ShardAlarm.make(storage, shard, operations, { everyMillis: every, sweepRows }) }
  }
  let life = born()
  const begin = Effect.suspend(() => life.alarm.begin)
  const restart = Effect.suspend(() => {
    life = born()
    return begin
  })
  const put = (id: string, now: number, expiresAt?: number) => {
    life.shard.apply([write(id, { wall: now, value: `${now}`, ...(expiresAt !== undefined && { expiresAt }) })], now)
    life.alarm.changed(now)
  }
  /** Lets time pass, alarms firing on their way. */
  const pass = (millis: number): Effect.Effect<void> =>
    Effect.gen(function* () {
      const end = (yield* TestClock.currentTimeMillis) + millis
      while (storage.at !== null && storage.at <= end) {
        yield* TestClock.setTime(storage.at)
        storage.at = null
        storage.fires += 1
        yield* life.alarm.fire
      }
      yield* TestClock.setTime(end)
    })
  const fire = Effect.suspend(() => life.alarm.fire)
  return { storage, begin, restart, put, pass, fire, shard: () => life.shard, billed: () => life.alarm.alarms() }
}
