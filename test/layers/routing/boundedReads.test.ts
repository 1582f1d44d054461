import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DurableCacheMemory from "../../../src/layers/durable/DurableCacheMemory.ts"
import * as DurableShards from "../../../src/layers/durable/durableShards.ts"
import type { ShardCall } from "../../../src/layers/durable/object/shardHandoff.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as StoreDurable from "../../../src/layers/routing/StoreDurable.ts"
import * as OutboxMemory from "../../../src/layers/snapshots/OutboxMemory.ts"
import * as SnapshotsMemory from "../../../src/layers/snapshots/SnapshotsMemory.ts"
import { DurableCache } from "../../../src/services/durable/DurableCache.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { kvMode, kvModeBatching, world } from "../../support/worlds.ts"

const notes = define("notes", { jitter: 0, memoryTtl: 0, edgeTtl: 0 })

const bytesIn = (what: unknown): number => {
  if (what instanceof Uint8Array) return what.byteLength
  if (what instanceof Map) return [...what.values()].reduce((sum: number, part) => sum + bytesIn(part), 0)
  if (typeof what !== "object" || what === null) return 0
  return Object.values(what).reduce((sum: number, part) => sum + bytesIn(part), 0)
}

const shards = 3
const largestReply = 4_000_000
const largestBulk = 25_000_000

type Read = (bytes: number) => void

const countedKv = (read: Read) => {
  const kv = KvMemory.make()
  const counted = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.tap(effect, (answer) => Effect.sync(() => read(bytesIn(answer))))
  return Layer.succeed(Kv, {
    ...kv,
    get: (key, options) => counted(kv.get(key, options)),
    getBulk: (keys, options) => counted(kv.getBulk(keys, options))
  })
}

const countedObjects = (read: Read) => {
  const objects = Array.from({ length: shards }, () => ShardMemory.make())
  const call = DurableCacheMemory.calls(objects, LedgerMemory.make(0))
  const counted: ShardCall = (object, method, ...args) =>
    Effect.tap(call(object, method, ...args), (reply) => Effect.sync(() => read(bytesIn(reply))))
  return Layer.succeed(DurableCache, DurableShards.make(counted, { generation: 0, shards }))
}

const durable = (read: Read) =>
  StoreDurable.layer.pipe(
    Layer.provideMerge(countedObjects(read)),
    Layer.provideMerge(OutboxMemory.layer),
    Layer.provideMerge(SnapshotsMemory.layer),
    Layer.provideMerge(world({ settings: { shards } }))
  )

/** Stores whose reads of what lies behind them are counted; `overshoot`: what may be on its way when there is enough. */
const stores = [
  { name: "StoreDurable", of: durable, overshoot: shards * largestReply },
  { name: "StoreKv", of: (read: Read) => kvMode({ kv: countedKv(read) }), overshoot: largestBulk },
  {
    name: "StoreKv with its batcher",
    of: (read: Read) => kvModeBatching({ kv: countedKv(read) }),
    overshoot: largestBulk
  }
]

describe.each(stores)("$name, asked for more than fits", ({ of, overshoot }) => {
  const maxBytes = 4_000_000

  it.effect.each([
    { count: 300, size: 100_000 },
    { count: 120, size: 600_000 }
  ])(
    "reads little more than was wanted of $count values of $size bytes, and the rest when asked again",
    ({ count, size }) => {
      let read = 0
      return Effect.gen(function* () {
        const store = yield* Store
        const value = new TextEncoder().encode("x".repeat(size))
        const keys = Array.from({ length: count }, (_, number) => `k${number}`)
        for (let from = 0; from < count; from += 20) {
          yield* store.writeMany(
            notes,
            keys.slice(from, from + 20).map((key) => ({ key, value }))
          )
        }
        let left = keys
        let rounds = 0
        while (left.length > 0) {
          read = 0
          const results = yield* store.getMany(notes, left, maxBytes)
          assert.isAtMost(read, maxBytes + overshoot)
          const again = left.filter((_, index) => results[index]!._tag === "Failed")
          assert.isBelow(again.length, left.length)
          for (const result of results) {
            if (result._tag === "Done") assert.strictEqual(result.value.entry?.value.byteLength, size)
            else assert.deepInclude(result.error, { reason: "Unavailable", retryAfter: 1 })
          }
          left = again
          rounds += 1
        }
        assert.isAbove(rounds, 1)
        read = 0
        assert.isTrue((yield* store.getMany(notes, keys.slice(0, 10))).every(({ _tag }) => _tag === "Done"))
      }).pipe(
        Effect.provide(
          of((bytes) => {
            read += bytes
          })
        )
      )
    }
  )

  it.effect("reads small ones as ever, all of them", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const keys = Array.from({ length: 1000 }, (_, number) => `k${number}`)
      yield* store.writeMany(
        notes,
        keys.map((key) => ({ key, value: new TextEncoder().encode(key) }))
      )
      const results = yield* store.getMany(notes, keys, maxBytes)
      assert.isTrue(results.every(({ _tag }) => _tag === "Done"))
    }).pipe(Effect.provide(of(() => {})))
  )
})
