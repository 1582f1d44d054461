import { assert, describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as ShardAlarm from "../../../../src/layers/durable/object/shardAlarm.ts"
import type { ShardCall } from "../../../../src/layers/durable/object/shardHandoff.ts"
import * as ShardHost from "../../../../src/layers/durable/object/shardHost.ts"
import * as ShardMemory from "../../../../src/layers/durable/ShardMemory.ts"
import { objectName, placesOf, type Topology } from "../../../../src/services/durable/model/Topology.ts"
import { operationsOf } from "../../../support/durable/shardOperations.ts"
import { write } from "../../../support/durable/shardWrite.ts"
import { runs } from "../../../support/runs.ts"

const hour = 3_600_000

/** Objects with their alarms, which fire when `pass` comes by their times. */
const makeObjects = (first: Topology) => {
  let snapshots = 0
  let now = 1_700_000_000_000
  /** Goes on when `pass` says so; who waits for anything waits for ever. */
  const clock: Clock.Clock = {
    ...Clock.make(),
    unsafeCurrentTimeMillis: () => now,
    currentTimeMillis: Effect.sync(() => now),
    sleep: () => Effect.never
  }

  const makeObject = (own: Topology) => {
    const shard = ShardMemory.make()
    const storage = {
      at: null as number | null,
      getAlarm: () => Promise.resolve(storage.at),
      setAlarm: async (at: number) => {
        storage.at = at
      }
    }
    let siblings = own.generation === 0 ? own.shards : 1
    const { flush, restore } = operationsOf(shard)
    const saved = Effect.tap(flush, (wrote) =>
      Effect.sync(() => {
        if (wrote) snapshots += 1
      })
    )
    const operations: ShardHost.ShardOperations = {
      flush: saved,
      restore,
      shards: () => siblings,
      joined: (count) => {
        siblings = count
      },
      peers: call
    }
    const alarm = ShardAlarm.make(storage, shard, operations, { everyMillis: hour, sweepRows: 100 })
    return { shard, storage, alarm, host: ShardHost.make(shard, { ...alarm, operations }) }
  }

  const objects = new Map<string, ReturnType<typeof makeObject>>()
  const objectAt = (name: string, own: Topology) => {
    const known = objects.get(name) ?? makeObject(own)
    objects.set(name, known)
    return known
  }
  const call: ShardCall = (name, method, ...args) =>
    Effect.suspend(() => (objectAt(name, { generation: 1, shards: 1 }).host as ShardHost.ShardHost)[method](...args))

  const membersOf = (topology: Topology) => placesOf(topology).map((place) => objectAt(objectName(place), topology))
  membersOf(first)

  const pass = (millis: number) =>
    Effect.gen(function* () {
      const end = now + millis
      for (;;) {
        const due = [...objects.values()].filter(({ storage }) => storage.at !== null && storage.at <= end)
        const next = due.sort((a, b) => a.storage.at! - b.storage.at!)[0]
        if (next === undefined) break
        now = Math.max(now, next.storage.at!)
        next.storage.at = null
        yield* next.alarm.fire
      }
      now = end
    })

  /** Something is written in every object of the generation, and time passes, for so many hours. */
  const busy = (topology: Topology, hours: number) =>
    Effect.gen(function* () {
      for (let third = 0; third < 3 * hours; third++) {
        for (const { host } of membersOf(topology)) yield* host.apply([write(`k/${now}`, { wall: now })])
        yield* pass(hour / 3)
      }
    })

  const reshard = (from: Topology, to: Topology) =>
    Effect.gen(function* () {
      const step = (step: Parameters<ShardHost.OwnHost["reshard"]>[0]) =>
        Effect.forEach(membersOf(from), ({ host }) => host.reshard(step))
      yield* step({ _tag: "Seal", to })
      yield* step({ _tag: "Announce", marks: new Map() })
      for (let steps = 0; steps < 6; steps++) yield* step({ _tag: "Move" })
      yield* step({ _tag: "Complete", to })
      for (const { shard } of membersOf(from)) assert.strictEqual(shard.seal()?.complete, true)
    })

  return { busy, clock, reshard, snapshots: () => snapshots }
}

describe("the interval of snapshots", () => {
  const count = fc.integer({ min: 1, max: 5 })

  it("follows the number of objects in force: all of them write 24 a day, whatever it was before", () =>
    fc.assert(
      fc.asyncProperty(count, fc.array(count, { maxLength: 2 }), async (shards, targets) => {
        const [written, own] = await Effect.runPromise(play(shards, targets))
        expect(written).toBeLessThanOrEqual(60 + own)
        expect(written).toBeGreaterThanOrEqual(60 - own)
      }),
      { numRuns: runs(20), seed: 1 }
    ))
})

/** How many snapshots 60 hours saw after the last reshard, and the number of objects then. */
const play = (shards: number, targets: ReadonlyArray<number>) => {
  let own: Topology = { generation: 0, shards }
  const world = makeObjects(own)
  return Effect.gen(function* () {
    for (const next of targets) {
      yield* world.busy(own, 2)
      const to = { generation: own.generation + 1, shards: next }
      yield* world.reshard(own, to)
      own = to
    }
    // An alarm that was set before may still fire.
    yield* world.busy(own, own.shards)
    const before = world.snapshots()
    yield* world.busy(own, 60)
    return [world.snapshots() - before, own.shards] as const
  }).pipe(Effect.withClock(world.clock))
}
