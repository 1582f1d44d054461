import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as DurableCacheMemory from "../../../src/layers/durable/DurableCacheMemory.ts"
import * as DurableShards from "../../../src/layers/durable/durableShards.ts"
import type { ShardCall } from "../../../src/layers/durable/object/shardHandoff.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as StoreDurable from "../../../src/layers/routing/StoreDurable.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as OutboxKv from "../../../src/layers/snapshots/OutboxKv.ts"
import * as SnapshotsMemory from "../../../src/layers/snapshots/SnapshotsMemory.ts"
import { make as makeRandom } from "../../../src/services/base/model/Random.ts"
import { DurableCache } from "../../../src/services/durable/DurableCache.ts"
import { shardOf } from "../../../src/services/durable/Shard.ts"
import { Kv, type KvReason } from "../../../src/services/kv/Kv.ts"
import { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { type Change, Store, type StoreResult, type Written } from "../../../src/services/store/Store.ts"
import { runs, seedOr } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"
import { kvMode, world } from "../../support/worlds.ts"

const asking = { jitter: 0, memoryTtl: 0, edgeTtl: 0, negativeTtl: 0 }
const plain = define("plain", asking)
const packed = define("packed", { ...asking, packed: true })

/** Objects some of which are away, and how often each was called by which method. */
const objects = (shards: number) => {
  const away = new Set<string>()
  const kv = KvMemory.make()
  const refused: { reason: KvReason | undefined } = { reason: undefined }
  let calls: Array<string> = []
  const wired = DurableCacheMemory.calls(
    Array.from({ length: shards }, () => ShardMemory.make()),
    LedgerMemory.make(0)
  )
  const call: ShardCall = (object, method, ...args) =>
    Effect.suspend(() => {
      calls.push(`${object} ${method}`)
      return away.has(object) ? Effect.fail(new Error("Network connection lost.")) : wired(object, method, ...args)
    })
  const outbox = OutboxKv.make(
    KvFaulty.make(kv, (operation) =>
      operation === "put" && refused.reason !== undefined ? { kind: "fail", reason: refused.reason } : undefined
    )
  )
  return {
    away,
    kv,
    refused,
    /** Calls since the last question. */
    calls: () => {
      const before = calls
      calls = []
      return before
    },
    /** Keys that were put into the outbox's namespace. */
    parked: Effect.map(kv.list(), ({ keys }) => keys.map(({ name }) => name)),
    layer: StoreDurable.layer.pipe(
      Layer.provideMerge(Layer.succeed(DurableCache, DurableShards.make(call, { generation: 0, shards }))),
      Layer.provideMerge(Layer.succeed(Outbox, outbox)),
      Layer.provideMerge(SnapshotsMemory.layer),
      Layer.provideMerge(world({ settings: { shards } }))
    )
  }
}

const outcomeOf = (result: StoreResult<Written>) =>
  result._tag === "Done" ? result.value.acknowledged : result.error.reason

describe("a batch of any kinds of changes", () => {
  const change = fc.record({
    key: fc.nat(60).map((number) => `k${number}`),
    kind: fc.constantFrom("text", "tagged", "delete" as const),
    bytes: fc.constantFrom(0, 10, 5_000, 300_000)
  })
  const plan = fc.record({
    shards: fc.integer({ min: 1, max: 8 }),
    away: fc.uniqueArray(fc.nat(7), { maxLength: 8 }),
    collection: fc.constantFrom(plain, packed),
    changes: fc.uniqueArray(change, { selector: ({ key }) => key, minLength: 1, maxLength: 40, size: "max" })
  })

  it.effect.prop(
    "is one RPC for each object that is there, and for each that is away one more and one value in the outbox",
    [plan],
    ([{ away, changes, collection, shards }]) => {
      const world = objects(shards)
      const objectOf = (key: string) => `shard-${shardOf(`${collection.name}/${key}`, shards)}`
      for (const shard of away) world.away.add(`shard-${shard}`)
      return virtually(
        Effect.gen(function* () {
          const store = yield* Store
          const results = yield* store.writeMany(
            collection,
            changes.map(
              ({ bytes, key, kind }): Change =>
                kind === "delete"
                  ? { key, remove: true }
                  : { key, value: new Uint8Array(bytes), tags: kind === "tagged" ? ["t"] : [] }
            )
          )
          const concerned = [...new Set(changes.map(({ key }) => objectOf(key)))]
          const missing = concerned.filter((object) => world.away.has(object))
          expect(results.map(outcomeOf)).toStrictEqual(
            changes.map(({ key }) => (world.away.has(objectOf(key)) ? "outside" : "stored"))
          )
          expect(world.calls().sort()).toStrictEqual([...concerned, ...missing].map((name) => `${name} apply`).sort())
          expect((yield* world.parked).length).toBe(missing.length)
          world.away.clear()
          yield* TestClock.adjust("1 minute")
          // What anyone asks of an object is what its parked writes follow behind.
          yield* store.getMany(collection, ["other", ...Array.from({ length: 200 }, (_, at) => `any${at}`)])
          const delivered = world.calls().filter((called) => called.endsWith("apply"))
          const bytes = changes.reduce((sum, { bytes }) => sum + bytes, 0)
          expect(delivered.length).toBeLessThanOrEqual(missing.length + Math.ceil(bytes / 1_500_000))
          const found = yield* store.getMany(
            collection,
            changes.map(({ key }) => key)
          )
          for (const [index, { bytes, kind }] of changes.entries()) {
            const result = found[index]!
            const length = result._tag === "Done" ? result.value.entry?.value.byteLength : -1
            expect(length).toBe(kind === "delete" ? undefined : bytes)
          }
        }).pipe(Effect.provide(world.layer))
      )
    },
    { fastCheck: { numRuns: runs(30), seed: seedOr(1) } }
  )
})

describe("a value of any size", () => {
  const largest = 25 * 2 ** 20
  const boundaries = [2 ** 16, 2 ** 20, 2_000_000, 2 ** 21, 4_000_000, 16 * 2 ** 20, 24 * 2 ** 20, largest]
  const size = fc.tuple(fc.constantFrom(...boundaries), fc.integer({ min: -1, max: 1 })).map(([at, by]) => at + by)

  /** What no compression makes shorter: it looks back 4 MiB at most. */
  const noise = (length: number, seed: number): Uint8Array => {
    const random = makeRandom(seed)
    const piece = new Uint8Array(Math.min(length, 4_500_001))
    for (let at = 0; at < piece.length; at++) piece[at] = random() * 256
    const value = new Uint8Array(length)
    for (let at = 0; at < length; at += piece.length) value.set(piece.subarray(0, length - at), at)
    return value
  }

  const laws = (length: number, tags: number) => {
    const value = noise(length, length)
    const options = { tags: Array.from({ length: tags }, (_, at) => `${at}`.padEnd(256, ".")) }
    const isLegal = length <= largest
    const put = (store: Store["Type"], key: string) =>
      Effect.map(store.writeMany(plain, [{ key, value, ...options }]), ([result]) => outcomeOf(result!))
    const isThere = (store: Store["Type"], key: string) =>
      Effect.map(store.get(plain, key), ({ entry }) => {
        if (!isLegal) return expect(entry).toBeUndefined()
        expect(entry?.tags.length).toBe(tags)
        expect(Buffer.compare(entry!.value, value)).toBe(0)
      })
    const durable = objects(1)
    return virtually(
      Effect.gen(function* () {
        yield* Effect.gen(function* () {
          const store = yield* Store
          expect(yield* put(store, "well")).toBe(isLegal ? "stored" : "TooLarge")
          durable.away.add("shard-0")
          expect(yield* put(store, "parked")).toBe(isLegal ? "outside" : "TooLarge")
          durable.refused.reason = (["RateLimited", "DailyLimit", "Unavailable"] as const)[length % 3]
          expect(yield* put(store, "refused")).toBe(isLegal ? "Unavailable" : "TooLarge")
          durable.away.clear()
          for (const key of ["well", "parked"]) yield* isThere(store, key)
        }).pipe(Effect.provide(durable.layer))
        yield* Effect.gen(function* () {
          const store = yield* Store
          expect(yield* put(store, "well")).toBe(isLegal ? "stored" : "TooLarge")
          yield* isThere(store, "well")
        }).pipe(Effect.provide(kvMode({ kv: Layer.succeed(Kv, KvMemory.make()) })))
      })
    )
  }

  it("that is taken when all is well is parked in an outage, or answered Unavailable; never TooLarge", async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.constantFrom(0, 128), (length, tags) => Effect.runPromise(laws(length, tags))),
      { numRuns: runs(6), seed: seedOr(1), examples: [[largest, 128]] }
    )
  }, 600_000)
})
