import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as StoreDurable from "../../../src/layers/routing/StoreDurable.ts"
import * as OutboxMemory from "../../../src/layers/snapshots/OutboxMemory.ts"
import * as EdgeCacheOff from "../../../src/layers/tiers/EdgeCacheOff.ts"
import * as MemoryTierOff from "../../../src/layers/tiers/MemoryTierOff.ts"
import * as ReadPathTiered from "../../../src/layers/tiers/ReadPathTiered.ts"
import * as SingleFlightDeferred from "../../../src/layers/tiers/SingleFlightDeferred.ts"
import { reshardDurable } from "../../../src/programs/durable/reshardDurable.ts"
import { type DurableCache, DurableCacheError, entriesOf } from "../../../src/services/durable/DurableCache.ts"
import { objectName, ownerOf } from "../../../src/services/durable/model/Topology.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import * as Stamper from "../../../src/services/store/Stamper.ts"
import { EdgeCache } from "../../../src/services/tiers/EdgeCache.ts"
import * as ReshardWorld from "../../support/durable/reshardWorld.ts"
import { remove, write } from "../../support/durable/shardWrite.ts"
import { loaded } from "../../support/snapshots/wholeImages.ts"
import { virtually } from "../../support/virtually.ts"

const ids = Array.from({ length: 1200 }, (_, number) => `things/${String(number).padStart(4, "0")}`)

const fill = (cache: DurableCache["Type"]) =>
  Effect.forEach([0, 400, 800], (from) =>
    cache.apply(ids.slice(from, from + 400).map((id) => write(id, { tags: ["t"] })))
  )

const countIn = (cache: DurableCache["Type"]) =>
  Effect.map(entriesOf(cache, ids), (entries) => entries.filter((entry) => entry !== undefined).length)

const textOf = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value)

const first = ids[0]!
const last = ids.at(-1)!

describe("reshardDurable", () => {
  it.effect("of an object that does not know what it held changes nothing, and goes on when KV is read again", () =>
    virtually(
      Effect.gen(function* () {
        let isUnreadable = false
        const done: Array<string> = []
        const world = yield* ReshardWorld.make(2, {
          fault: (operation) => {
            done.push(operation)
            return isUnreadable && operation !== "put" ? { kind: "fail", reason: "Unavailable" } : undefined
          }
        })
        const cache = world.isolate()
        yield* fill(cache)
        yield* cache.flush
        const saved = yield* loaded(world.snapshots, "shard-1")
        isUnreadable = true
        yield* world.lose("shard-1")
        const [written] = yield* cache.apply([write("things/new")])
        assert.deepInclude(written, { outcome: "applied" })
        done.length = 0
        const stopped = yield* Effect.flip(world.reshard({ shards: 3 }))
        assert.strictEqual(stopped._tag, "DurableCacheError")
        assert.notInclude(done, "put")
        for (const { shard } of world.objects.values()) assert.isUndefined(shard.seal())
        isUnreadable = false
        assert.deepStrictEqual(yield* loaded(world.snapshots, "shard-1"), saved)
        assert.deepInclude(yield* world.reshard({ shards: 3 }), { complete: true, moved: 1201, left: 0 })
        assert.strictEqual(yield* countIn(world.isolate()), 1200)
        assert.deepStrictEqual(yield* world.recorded.read, { generation: 1, shards: 3 })
      })
    )
  )

  it.effect(
    "a record of where keys are that cannot be read is left: a recovering object goes on so, no reshard begins",
    () =>
      virtually(
        Effect.gen(function* () {
          const world = yield* ReshardWorld.make(1)
          const cache = world.isolate()
          yield* fill(cache)
          yield* cache.flush
          const damaged = new TextEncoder().encode('{"generation":1,"shards":')
          yield* world.namespace.put("~~topology", damaged)
          yield* world.lose("shard-0")
          assert.isTrue(Either.isLeft(yield* Effect.either(entriesOf(cache, [first]))))
          yield* Effect.flip(world.reshard({ shards: 2 }))
          assert.isUndefined(world.objects.get("shard-0")!.shard.seal())
          const left = yield* world.namespace.get("~~topology")
          assert.deepStrictEqual(Option.getOrThrow(left).value, damaged)
          yield* world.namespace.delete("~~topology")
          yield* TestClock.adjust("1 second")
          assert.strictEqual(yield* countIn(cache), 1200)
        })
      )
  )

  it.live("says what it will bill, does what it said for less, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const world = yield* ReshardWorld.make(1)
      yield* fill(world.isolate())
      const said = yield* world.reshard({ shards: 3, dryRun: true })
      assert.deepInclude(said, { dryRun: true, moved: 0, left: 1200, complete: false })
      assert.isAbove(said.usd, 1200 * 2e-6)
      assert.strictEqual(world.objects.size, 1)
      const done = yield* world.reshard({ shards: 3 })
      assert.deepInclude(done, {
        from: { generation: 0, shards: 1 },
        to: { generation: 1, shards: 3 },
        moved: 1200,
        left: 0,
        complete: true
      })
      assert.strictEqual(yield* countIn(world.isolate()), 1200)
      assert.deepStrictEqual(yield* world.recorded.read, { generation: 1, shards: 3 })
      assert.strictEqual(world.objects.get("shard-0")!.shard.stats().entries, 0)
      assert.strictEqual((yield* loaded(world.snapshots, "shard-0"))?.rows.length, 0)
      const saved = yield* Effect.forEach([0, 1, 2], (shard) => loaded(world.snapshots, `shard-1.${shard}`))
      assert.strictEqual(
        saved.reduce((sum, image) => sum + image!.rows.length, 0),
        1200
      )
    })
  )

  it.live(
    "to the number there is does nothing; to another while one is under way is refused; goes on with the same",
    () =>
      Effect.gen(function* () {
        const world = yield* ReshardWorld.make(1)
        yield* fill(world.isolate())
        assert.deepInclude(yield* world.reshard({ shards: 1 }), { complete: true, moved: 0, usd: 0 })
        const part = yield* world.reshard({ shards: 2, operations: 0 })
        assert.deepInclude(part, { complete: false, moved: 500, left: 1200 })
        const refused = yield* Effect.flip(world.reshard({ shards: 3 }))
        assert.deepInclude(refused, { _tag: "ReshardError", reason: "UnderWay", to: { generation: 1, shards: 2 } })
        assert.deepInclude(yield* world.reshard({ shards: 2 }), { complete: true, moved: 700 })
      })
  )

  it.live("is refused where there are no objects", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(reshardDurable({ shards: 2, dryRun: true }))
      assert.deepInclude(error, { _tag: "ReshardError", reason: "Absent" })
    }).pipe(Effect.provideService(Ledger, LedgerMemory.make(0)))
  )

  it.live("serves what has not moved from its old object, and refuses writes to it; what has moved is as ever", () =>
    Effect.gen(function* () {
      const world = yield* ReshardWorld.make(1)
      const cache = world.isolate()
      yield* fill(cache)
      yield* world.reshard({ shards: 2, operations: 0 })
      const results = yield* cache.apply([write(first, { value: "new" }), write(last), remove(ids[1]!)])
      assert.deepStrictEqual(
        results.map((result) => (result instanceof DurableCacheError ? result.reason : result.outcome)),
        ["applied", "Moving", "applied"]
      )
      const [moved, gone, still] = yield* entriesOf(world.isolate(), [first, ids[1]!, last])
      assert.deepStrictEqual([textOf(moved?.value), gone, textOf(still?.value)], ["new", undefined, "value"])
      assert.strictEqual((yield* cache.lease(`${last}x`, Duration.seconds(1)))._tag, "Busy")
      yield* cache.invalidateTags(["t"], { wall: 2, counter: 0, writer: "test" })
      assert.strictEqual(yield* countIn(world.isolate()), 1, "what was written since, without the tag")
      yield* world.reshard({ shards: 2 })
      assert.strictEqual(yield* countIn(world.isolate()), 1)
    })
  )

  it.live(
    "the Store answers a write to what has not moved with Unavailable and when to try again, and parks nothing",
    () =>
      Effect.gen(function* () {
        const world = yield* ReshardWorld.make(1)
        const outbox = OutboxMemory.make()
        const edge = yield* Effect.provide(EdgeCache, EdgeCacheOff.layer)
        const flight = SingleFlightDeferred.make()
        const readPath = ReadPathTiered.make(
          defaults,
          MemoryTierOff.make(),
          edge,
          flight,
          ({ byteLength }) => byteLength
        )
        const store = StoreDurable.make({
          durable: world.isolate(),
          outbox,
          snapshots: world.snapshots,
          readPath,
          settings: defaults,
          stamper: Stamper.make(() => "w"),
          ledger: world.ledger,
          recorded: undefined
        })
        const things = define("things")
        yield* fill(world.isolate())
        yield* world.reshard({ shards: 2, operations: 0 })
        for (let times = 0; times < 2 * defaults.breakerThreshold; times++) {
          const error = yield* Effect.flip(store.set(things, "1199", new Uint8Array(1)))
          assert.deepInclude(error, { reason: "Unavailable", retryAfter: 2 })
        }
        assert.deepStrictEqual((yield* outbox.list()).names, [])
        assert.strictEqual(textOf((yield* store.get(things, "1199")).entry?.value), "value")
        assert.strictEqual((yield* store.set(things, "0000", new Uint8Array(1))).acknowledged, "stored")
        yield* world.reshard({ shards: 2 })
        assert.strictEqual((yield* store.set(things, "1199", new Uint8Array(1))).acknowledged, "stored")
      })
  )

  it.live("goes on by itself once rows move: alarms of the old objects are enough", () =>
    Effect.gen(function* () {
      const world = yield* ReshardWorld.make(2)
      yield* fill(world.isolate())
      yield* world.reshard({ shards: 1, operations: 0 })
      for (let fires = 0; fires < 8; fires++) for (const shard of [0, 1]) yield* world.goOn(`shard-${shard}`)
      assert.deepStrictEqual(
        (yield* world.isolate().apply([write(first), write(last)])).map((result) => "outcome" in result),
        [true, true]
      )
      assert.deepInclude(yield* world.reshard({ shards: 1 }), { complete: true, moved: 0 })
    })
  )

  it.live("sends again what a new object has lost with its disk before it was saved, and nothing older over it", () =>
    Effect.gen(function* () {
      const world = yield* ReshardWorld.make(1)
      const cache = world.isolate()
      yield* fill(cache)
      yield* world.reshard({ shards: 2, operations: 0 })
      const owner = objectName(ownerOf({ generation: 1, shards: 2 }, first))
      yield* world.lose(owner)
      yield* cache.apply([write(first, { value: "since", wall: 5 })])
      yield* world.reshard({ shards: 2 })
      assert.strictEqual(yield* countIn(world.isolate()), 1200)
      const [entry] = yield* entriesOf(world.isolate(), [first])
      assert.strictEqual(textOf(entry?.value), "since")
    })
  )

  it.live(
    "an old object that has lost its disk midway tells nothing old: it sends its snapshot's rows, by version",
    () =>
      Effect.gen(function* () {
        const world = yield* ReshardWorld.make(1)
        const cache = world.isolate()
        yield* fill(cache)
        yield* world.reshard({ shards: 2, operations: 0 })
        yield* cache.apply([write(first, { value: "since", wall: 5 }), remove(ids[1]!, 5)])
        yield* world.lose("shard-0")
        const blind = yield* Effect.either(entriesOf(world.isolate(), [first]))
        assert.isTrue(Either.isLeft(blind))
        yield* world.reshard({ shards: 2 })
        const [entry, gone] = yield* entriesOf(world.isolate(), [first, ids[1]!])
        assert.deepStrictEqual([textOf(entry?.value), gone], ["since", undefined])
        assert.strictEqual(yield* countIn(world.isolate()), 1199)
      })
  )

  it.live("an old object that has lost its disk afterwards, or never had one, knows where all keys are", () =>
    Effect.gen(function* () {
      const world = yield* ReshardWorld.make(1)
      yield* fill(world.isolate())
      yield* world.reshard({ shards: 2 })
      yield* world.lose("shard-0")
      assert.strictEqual(yield* countIn(world.isolate()), 1200)
      assert.deepStrictEqual(world.objects.get("shard-0")!.shard.seal()?.to, { generation: 1, shards: 2 })
    })
  )

  it.live("a cold isolate pays one more call, however many reshards there were", () =>
    Effect.gen(function* () {
      const world = yield* ReshardWorld.make(1)
      yield* world.isolate().apply([write("a/1")])
      for (const shards of [3, 2, 5]) yield* world.reshard({ shards })
      const cold = world.isolate()
      world.calls.length = 0
      yield* cold.getMany(["a/1"])
      yield* cold.getMany(["a/1"])
      const owner = objectName(ownerOf({ generation: 3, shards: 5 }, "a/1"))
      assert.deepStrictEqual(world.calls, ["shard-0 getMany", `${owner} getMany`, `${owner} getMany`])
    })
  )
})
