import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as DurableCacheMemory from "../../../src/layers/durable/DurableCacheMemory.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as StoreDurable from "../../../src/layers/routing/StoreDurable.ts"
import * as OutboxKv from "../../../src/layers/snapshots/OutboxKv.ts"
import * as SnapshotsMemory from "../../../src/layers/snapshots/SnapshotsMemory.ts"
import * as RestoreShard from "../../../src/programs/snapshots/restoreShard.ts"
import { DurableCache } from "../../../src/services/durable/DurableCache.ts"
import { Shard } from "../../../src/services/durable/Shard.ts"
import { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { write } from "../../support/durable/shardWrite.ts"
import { text } from "../../support/store/lookups.ts"
import { virtually } from "../../support/virtually.ts"
import { world } from "../../support/worlds.ts"

const notes = define("notes", { jitter: 0, memoryTtl: 0, edgeTtl: 0, negativeTtl: 0 })

const full = () => {
  const kv = KvMemory.make()
  const shard = ShardMemory.make(undefined, undefined, 100)
  const durable = DurableCacheMemory.make([shard], LedgerMemory.make(0))
  const layer = StoreDurable.layer.pipe(
    Layer.provideMerge(Layer.succeed(DurableCache, durable)),
    Layer.provideMerge(Layer.succeed(Outbox, OutboxKv.make(kv))),
    Layer.provideMerge(SnapshotsMemory.layer),
    Layer.provideMerge(world())
  )
  return { kv, shard, layer, outbox: OutboxKv.make(kv) }
}

describe("an object that has no room", () => {
  it.effect("refuses writes as such, one by one, and parks none; deletes and smaller values are taken", () =>
    virtually(
      Effect.gen(function* () {
        const { kv, layer } = full()
        yield* Effect.gen(function* () {
          const store = yield* Store
          yield* store.set(notes, "a", new Uint8Array(60))
          yield* store.set(notes, "b", new Uint8Array(60))
          expect(yield* Effect.flip(store.set(notes, "c", new Uint8Array(1)))).toMatchObject({ reason: "Full" })
          const results = yield* store.writeMany(notes, [
            { key: "d", value: new Uint8Array(1) },
            { key: "a", value: new Uint8Array(59) },
            { key: "gone", remove: true }
          ])
          expect(results.map(({ _tag }) => _tag)).toStrictEqual(["Failed", "Done", "Done"])
          const load = Effect.succeed(Option.some({ value: new TextEncoder().encode("loaded") }))
          expect(text(yield* store.getOrLoad(notes, "c", load))).toBe("loaded")
          expect((yield* store.get(notes, "c")).entry).toBeUndefined()
          expect((yield* kv.list()).keys).toStrictEqual([])
          yield* store.delete(notes, "b")
          yield* store.set(notes, "c", new Uint8Array(1))
          expect((yield* store.get(notes, "c")).entry?.value.byteLength).toBe(1)
        }).pipe(Effect.provide(layer))
      })
    )
  )

  it.effect("leaves in the outbox what it has no room for", () =>
    virtually(
      Effect.gen(function* () {
        const { outbox, shard } = full()
        yield* TestClock.adjust("1 hour")
        shard.apply([write("notes/large", { value: new Uint8Array(100) })], 1)
        yield* outbox.park([write("notes/parked", { wall: 2 })], 2)
        const restore = yield* RestoreShard.fromOutbox(() => true).pipe(
          Effect.provideService(Shard, shard),
          Effect.provideService(Outbox, outbox)
        )
        expect((yield* Effect.exit(restore))._tag).toBe("Failure")
        expect((yield* outbox.list()).names).toHaveLength(1)
        shard.apply([{ ...write("notes/large", { wall: 3 }), body: undefined }], 3)
        expect(yield* restore).toBe(1)
        expect(shard.getMany(["notes/parked"], 4)[0]).toBeDefined()
      })
    )
  )
})
