import { expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import { type ShardImage, type ShardRow, summaryOf } from "../../../src/services/durable/Shard.ts"
import { type Kv, KvError } from "../../../src/services/kv/Kv.ts"
import * as Segment from "../../../src/services/snapshots/model/Segment.ts"
import { contract } from "../../contracts/snapshots/Snapshots.ts"
import { rowOf, sorted } from "../../support/durable/shardImages.ts"
import { tiny } from "../../support/snapshots/snapshotSizes.ts"
import { loaded, sourceOf } from "../../support/snapshots/wholeImages.ts"

contract("SnapshotsKv over KvMemory", () => SnapshotsKv.make(KvMemory.make()), { runs: 50 })

contract("SnapshotsKv in many segments and parts", () => SnapshotsKv.make(KvMemory.make(), tiny), { runs: 100 })

contract(
  "SnapshotsKv over KvSimulated",
  () => {
    const world = KvSimulated.makeWorld({ latency: "none", consistency: "immediate", writeRate: false })
    return SnapshotsKv.make(world.at("here"), tiny)
  },
  { runs: 50 }
)

const day = 86_400_000

const metered = (options?: SnapshotsKv.SnapshotsKvOptions) => {
  const ledger = LedgerMemory.make(0)
  const kv = KvMemory.make()
  const open = () => SnapshotsKv.make(KvMetered.make(kv, ledger, "CACHE_DO_KV"), options)
  let before = ledger.report().total.kv
  const spent = () => {
    const { kv: total } = ledger.report().total
    const since = {
      reads: total.reads - before.reads,
      writes: total.writes - before.writes,
      deletes: total.deletes - before.deletes,
      lists: total.lists - before.lists
    }
    before = total
    return since
  }
  return { kv, open, spent }
}

const imageOf = (rows: Iterable<ShardRow>): ShardImage => ({ rows: [...rows], tags: new Map() })

const rowsOf = (count: number, wall: number, bytes = 100) =>
  new Map(Array.from({ length: count }, (_, i) => [`row-${i}`, rowOf(`row-${i}`, wall + i, bytes)]))

const segmentKeys = (kv: Context.Tag.Service<Kv>) =>
  Effect.map(kv.list({ prefix: "~~seg/" }), ({ keys }) => keys.map(({ name }) => name))

it.effect("an image that packs within the limit is one write; the first of an instance also looks what is there", () =>
  Effect.gen(function* () {
    const { open, spent } = metered()
    const snapshots = open()
    const image = imageOf(rowsOf(500, 1).values())
    yield* snapshots.save("shard-0", sourceOf(image), 1)
    expect(spent()).toEqual({ reads: 1, writes: 1, deletes: 0, lists: 0 })
    yield* snapshots.save("shard-0", sourceOf(image), 2)
    expect(spent()).toEqual({ reads: 0, writes: 1, deletes: 0, lists: 0 })
    expect(sorted(yield* loaded(snapshots, "shard-0"))).toStrictEqual(sorted(image))
    expect(spent()).toEqual({ reads: 1, writes: 0, deletes: 0, lists: 0 })
  })
)

it.effect("what never expires is the newest snapshot: a year later all of it is there", () =>
  Effect.gen(function* () {
    const { kv, open } = metered({ ...tiny, inlineBytes: 0 })
    yield* open().save("shard-0", sourceOf(imageOf(rowsOf(50, 1).values())), 1)
    const { keys } = yield* kv.list()
    expect(keys.length).toBeGreaterThan(2)
    expect(keys.filter(({ expiration }) => expiration !== undefined)).toEqual([])
  })
)

const large = { inlineBytes: 20_000, segmentBytes: 20_000, blockBytes: 2_000 }

it.effect("a large image that changes a little is one write again, also for an instance that wakes up cold", () =>
  Effect.gen(function* () {
    const { open, spent } = metered(large)
    const rows = rowsOf(1000, 1)
    yield* open().save("shard-0", sourceOf(imageOf(rows.values())), 1)
    const { writes } = spent()
    expect(writes).toBeGreaterThan(5)
    const warm = open()
    for (let hour = 1; hour <= 5; hour++) {
      rows.set(`row-${hour * 7}`, rowOf(`row-${hour * 7}`, 10_000 + hour, 100))
      rows.delete(`row-${hour * 7 + 1}`)
      const snapshots = hour < 3 ? open() : warm
      yield* snapshots.save("shard-0", sourceOf(imageOf(rows.values())), hour)
      expect(spent()).toEqual({ reads: hour < 4 ? 1 : 0, writes: 1, deletes: 0, lists: 0 })
      expect(sorted(yield* loaded(snapshots, "shard-0"))).toStrictEqual(sorted(imageOf(rows.values())))
      spent()
    }
  })
)

it.effect(
  "of an image of any size only what is being packed is held: rows come block by block, segments go at once",
  () =>
    Effect.gen(function* () {
      const { kv, open } = metered()
      const rows = rowsOf(3000, 1)
      const source = sourceOf(imageOf(rows.values()))
      let [held, most, most1] = [0, 0, 0]
      const counted: Context.Tag.Service<Kv> = {
        ...kv,
        put: (key, value) => {
          held -= value.byteLength
          return kv.put(key, value)
        }
      }
      const take = (ids: ReadonlyArray<string>) => {
        const taken = source.take(ids)
        const bytes = taken.reduce((sum, row) => sum + Segment.rowBytes(summaryOf(row)), 0)
        held += bytes
        most = Math.max(most, held)
        most1 = Math.max(most1, bytes)
        return taken
      }
      yield* SnapshotsKv.make(counted, large).save("shard-0", { ...source, take }, 1)
      expect(most1).toBeLessThanOrEqual(large.blockBytes)
      // Frames are a little smaller than the rows in them, and what is smaller adds up.
      expect(most).toBeLessThan(0.4 * source.summaries.reduce((sum, row) => sum + Segment.rowBytes(row), 0))
      expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(imageOf(rows.values())))
    })
)

it.effect("a single row of a large snapshot is one read of its segment, and the next one there is none", () =>
  Effect.gen(function* () {
    const { open, spent } = metered(large)
    const rows = rowsOf(1000, 1)
    const snapshots = open()
    yield* snapshots.save("shard-0", sourceOf(imageOf(rows.values())), 1)
    spent()
    const opened = yield* snapshots.open("shard-0")
    expect(spent()).toMatchObject({ reads: 1 })
    for (const [id, reads] of [
      ["row-0", 1],
      ["row-1", 0],
      ["row-999", 0],
      ["row-none", 0]
    ] as const) {
      expect(yield* opened!.find(id)).toStrictEqual(rows.get(id))
      expect(spent()).toEqual({ reads, writes: 0, deletes: 0, lists: 0 })
    }
  })
)

it.effect("what stays is not written again: a year of churn costs little more than the bytes that changed", () =>
  Effect.gen(function* () {
    const { kv, open, spent } = metered(large)
    const snapshots = open()
    const rows = rowsOf(1000, 1)
    yield* snapshots.save("shard-0", sourceOf(imageOf(rows.values())), 0)
    spent()
    const saves = 400
    for (let at = 1; at <= saves; at++) {
      for (let i = 0; i < 20; i++) {
        const id = `row-${(at * 7919 + i * 104_729) % 1000}`
        rows.set(id, rowOf(id, at * 1000 + i, 100))
      }
      yield* snapshots.save("shard-0", sourceOf(imageOf(rows.values())), at * day)
    }
    const { deletes, lists, reads, writes } = spent()
    const changedSegments = (saves * 20 * 150) / large.segmentBytes
    expect({ lists, reads }).toEqual({ lists: 0, reads: 0 })
    expect(writes).toBeLessThan(saves + 4 * changedSegments)
    expect(writes).toBeGreaterThan(saves)
    expect(deletes).toBeLessThanOrEqual(writes - saves + 10)
    expect((yield* segmentKeys(kv)).length).toBeLessThan(40)
    expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(imageOf(rows.values())))
  })
)

it.effect("a superseded segment stays a day for readers of the manifest before, and then goes", () =>
  Effect.gen(function* () {
    const { kv, open, spent } = metered({ ...tiny, inlineBytes: 400 })
    yield* open().save("shard-0", sourceOf(imageOf(rowsOf(20, 1).values())), 0)
    const old = yield* segmentKeys(kv)
    const next = imageOf([rowOf("row-0", 5000)])
    yield* open().save("shard-0", sourceOf(next), 1)
    yield* open().save("shard-0", sourceOf(next), day)
    expect(yield* segmentKeys(kv)).toEqual(old)
    spent()
    yield* open().save("shard-0", sourceOf(next), day + 1)
    expect(yield* segmentKeys(kv)).toEqual([])
    expect(spent()).toEqual({ reads: 1, writes: 1, deletes: old.length, lists: 0 })
    yield* open().save("shard-0", sourceOf(next), 3 * day)
    expect(spent()).toEqual({ reads: 1, writes: 1, deletes: 0, lists: 0 })
  })
)

it.effect("what a failed save put is used by the next one, and what it gave up goes in its time", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    const puts: Array<string> = []
    let down = false
    const failing: Context.Tag.Service<Kv> = {
      ...kv,
      put: (key, value) => {
        puts.push(key)
        return down && key.startsWith("~~snap/")
          ? Effect.fail(new KvError({ operation: "put", reason: "RateLimited" }))
          : kv.put(key, value)
      }
    }
    const snapshots = SnapshotsKv.make(failing, { ...tiny, inlineBytes: 400 })
    yield* snapshots.save("shard-0", sourceOf(imageOf(rowsOf(20, 1).values())), 0)
    const changed = imageOf(rowsOf(20, 1000).values())
    down = true
    expect(yield* Effect.flip(snapshots.save("shard-0", sourceOf(changed), 1))).toMatchObject({ reason: "RateLimited" })
    down = false
    puts.length = 0
    yield* snapshots.save("shard-0", sourceOf(changed), 2)
    expect(puts).toEqual(["~~snap/shard-0"])
    const last = imageOf([rowOf("row-0", 5000)])
    for (const now of [3, 2 * day, 4 * day]) yield* snapshots.save("shard-0", sourceOf(last), now)
    expect(yield* segmentKeys(kv)).toEqual([])
  })
)

it.effect("a damaged snapshot is told from a missing one, and the next save replaces it", () =>
  Effect.gen(function* () {
    const { kv, open } = metered(tiny)
    const image = imageOf(rowsOf(30, 1).values())
    yield* open().save("shard-0", sourceOf(image), 1)
    for (const { name } of (yield* kv.list()).keys) {
      const { value } = Option.getOrThrow(yield* kv.get(name))
      const damaged = value.slice()
      damaged[damaged.length >> 1]! ^= 4
      yield* kv.put(name, damaged)
      expect(yield* Effect.flip(loaded(open(), "shard-0"))).toMatchObject({ operation: "load", reason: "Damaged" })
      yield* kv.put(name, value.subarray(0, -1))
      expect((yield* Effect.flip(loaded(open(), "shard-0"))).reason).toBe("Damaged")
      yield* kv.put(name, value)
    }
    expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(image))
    yield* kv.put("~~snap/shard-0", Uint8Array.of(1, 2, 3))
    yield* open().save("shard-0", sourceOf(image), 2)
    expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(image))
  })
)

it.effect("a segment that is not visible yet is a failure that passes, not damage", () =>
  Effect.gen(function* () {
    const { kv, open } = metered({ ...tiny, inlineBytes: 0 })
    yield* open().save("shard-0", sourceOf(imageOf(rowsOf(30, 1).values())), 1)
    yield* kv.delete((yield* segmentKeys(kv))[0]!)
    expect((yield* Effect.flip(loaded(open(), "shard-0"))).reason).toBe("Unavailable")
  })
)

it.effect("a value of KV's own size, which does not compress, is kept in parts", () =>
  Effect.gen(function* () {
    const { kv, open } = metered()
    const image = imageOf([rowOf("big", 1, 25 * 1024 * 1024), rowOf("small", 2)])
    yield* open().save("shard-0", sourceOf(image), 1)
    expect((yield* segmentKeys(kv)).length).toBe(2)
    const found = yield* loaded(open(), "shard-0")
    const big = found?.rows.find(({ id }) => id === "big")?.body?.value
    expect(Buffer.compare(big!, image.rows[0]!.body!.value)).toBe(0)
    expect(found?.rows.length).toBe(2)
  })
)
