import { expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import type { Shard } from "../../../src/services/durable/Shard.ts"
import { type Kv, KvError } from "../../../src/services/kv/Kv.ts"
import { contract } from "../../contracts/snapshots/Snapshots.ts"
import { rowOf, sorted } from "../../support/durable/shardImages.ts"
import { runs } from "../../support/runs.ts"
import { tiny } from "../../support/snapshots/snapshotSizes.ts"
import { imageIn, loaded, sourceOf } from "../../support/snapshots/wholeImages.ts"

contract("SnapshotsKv over KvMemory", () => SnapshotsKv.make(KvMemory.make()), { runs: runs(50) })

contract("SnapshotsKv in many segments and parts", () => SnapshotsKv.make(KvMemory.make(), tiny), { runs: runs(100) })

contract(
  "SnapshotsKv over KvSimulated",
  () => {
    const world = KvSimulated.makeWorld({ latency: "none", consistency: "immediate", writeRate: false })
    return SnapshotsKv.make(world.at("here"), tiny)
  },
  { runs: runs(50) }
)

const day = 86_400_000
const t0 = 1_700_000_000_000

const metered = (options?: SnapshotsKv.SnapshotsKvOptions) => {
  const ledger = LedgerMemory.make(0)
  const kv = KvMemory.make()
  let bytes = 0
  const sized: Context.Tag.Service<Kv> = {
    ...kv,
    put: (key, value, given) => {
      bytes += value.byteLength
      return kv.put(key, value, given)
    }
  }
  const open = () => SnapshotsKv.make(KvMetered.make(sized, ledger, "CACHE_DO_KV"), options)
  let before = ledger.report().total.kv
  /** Operations, and bytes put, since it was asked last. */
  const spent = () => {
    const { kv: total } = ledger.report().total
    const { deletes, lists, reads, writes } = total
    const since = {
      reads: reads - before.reads,
      writes: writes - before.writes,
      deletes: deletes - before.deletes,
      lists: lists - before.lists,
      bytes
    }
    before = total
    bytes = 0
    return since
  }
  return { kv, open, spent }
}

const writeAll = (shard: Shard["Type"], ids: ReadonlyArray<number>, now: number, bytes = 100): void => {
  shard.apply(
    ids.map((i) => ({
      id: `a/${String(i).padStart(5, "0")}`,
      stamp: { wall: now, counter: i, writer: "w" },
      firstUntil: now,
      body: rowOf(`row-${i}`, now + i, bytes).body
    })),
    now
  )
}

const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

const segmentKeys = (kv: Context.Tag.Service<Kv>) =>
  Effect.map(kv.list({ prefix: "~~seg/" }), ({ keys }) => keys.map(({ name }) => name))

it.effect("a shard that packs small is one write; the first one of a disk also looks what is there", () =>
  Effect.gen(function* () {
    const { open, spent } = metered()
    const disk = ShardMemory.disk()
    const shard = ShardMemory.make(disk)
    writeAll(shard, upTo(500), t0)
    yield* open().save("shard-0", shard.source, t0)
    expect(spent()).toMatchObject({ reads: 2, writes: 1, deletes: 0, lists: 0 })
    writeAll(shard, [3], t0 + 1)
    yield* open().save("shard-0", shard.source, t0 + 1)
    expect(spent()).toMatchObject({ reads: 0, writes: 1, deletes: 0, lists: 0 })
    const cold = ShardMemory.make(disk)
    writeAll(cold, [4], t0 + 2)
    yield* open().save("shard-0", cold.source, t0 + 2)
    expect(spent()).toMatchObject({ reads: 0, writes: 1, deletes: 0, lists: 0 })
    expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(imageIn(cold)))
    expect(spent()).toMatchObject({ reads: 2, writes: 0 })
  })
)

const large = { wholeBytes: 4000, inlineBytes: 40_000, segmentBytes: 40_000, blockBytes: 2_000 }

it.effect("a large one is its base and then one write a time of what changed, until that is a quarter of it", () =>
  Effect.gen(function* () {
    const { kv, open, spent } = metered(large)
    const disk = ShardMemory.disk()
    let shard = ShardMemory.make(disk)
    writeAll(shard, upTo(1000), t0)
    yield* open().save("shard-0", shard.source, t0)
    const base = spent()
    expect(base.writes).toBeGreaterThan(2)
    let bases = 0
    for (let hour = 1; hour <= 60; hour++) {
      const now = t0 + hour * 3_600_000
      writeAll(
        shard,
        upTo(10).map((i) => (hour * 10 + i) % 1000),
        now
      )
      yield* open().save("shard-0", shard.source, now)
      const { bytes, reads, writes } = spent()
      expect(reads).toBe(0)
      if (writes > 1) bases += 1
      else expect(bytes).toBeLessThan(base.bytes / 3)
      if (hour % 7 === 0) shard = ShardMemory.make(disk)
      if (hour % 10 !== 0) continue
      expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(imageIn(shard)))
      spent()
    }
    expect(bases).toBeGreaterThanOrEqual(2)
    expect(bases).toBeLessThanOrEqual(3)
    expect((yield* segmentKeys(kv)).length).toBeLessThan(3 * base.writes)
  })
)

it.effect("a base far larger than what one value takes is added to, and seldom written anew", () =>
  Effect.gen(function* () {
    const { kv, open, spent } = metered({ wholeBytes: 400, inlineBytes: 1000, segmentBytes: 4000, blockBytes: 500 })
    const shard = ShardMemory.make()
    writeAll(shard, upTo(500), t0)
    yield* open().save("shard-0", shard.source, t0)
    const base = spent()
    let written = 0
    for (let hour = 1; hour <= 40; hour++) {
      const now = t0 + hour * 3_600_000
      writeAll(
        shard,
        upTo(5).map((i) => (hour * 5 + i) % 500),
        now
      )
      yield* open().save("shard-0", shard.source, now)
      written += spent().bytes
      expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(imageIn(shard)))
    }
    // 40 % of it changed: that, what is written again inline, and one new base at most.
    expect(written).toBeLessThan(4 * base.bytes)
    expect((yield* segmentKeys(kv)).length).toBeLessThan(100)
  })
)

it.effect("a single row of a large snapshot is one read of its segment, and the next one there is none", () =>
  Effect.gen(function* () {
    const { open, spent } = metered(large)
    const shard = ShardMemory.make()
    writeAll(shard, upTo(1000), t0)
    const snapshots = open()
    yield* snapshots.save("shard-0", shard.source, t0)
    spent()
    const opened = yield* snapshots.open("shard-0")
    expect(spent()).toMatchObject({ reads: 2 })
    for (const [id, reads] of [
      ["a/00000", 1],
      ["a/00001", 0],
      ["a/00999", 1],
      ["a/01000", 0]
    ] as const) {
      expect((yield* opened!.find(id))?.body?.value).toStrictEqual(shard.getMany([id], t0)[0]?.value)
      expect(spent()).toMatchObject({ reads, writes: 0, deletes: 0, lists: 0 })
    }
  })
)

it.effect(
  "what no generation needs stays a day for readers of older ones, and then goes, also what a failure left",
  () =>
    Effect.gen(function* () {
      const { kv, open } = metered({ ...tiny, wholeBytes: 400 })
      const shard = ShardMemory.make()
      for (const round of [0, 1, 2, 3, 4, 5]) {
        writeAll(shard, upTo(30), t0 + round * day)
        yield* kv.put(`~~seg/shard-0/orphan-${round}/0`, new Uint8Array(1))
        yield* open().save("shard-0", shard.source, t0 + round * day)
        const names = new Set((yield* segmentKeys(kv)).map((key) => key.split("/")[2]))
        expect(names.size).toBeLessThan(60)
      }
      const names = (yield* segmentKeys(kv)).map((key) => key.split("/")[2])
      expect(names).not.toContain("orphan-0")
      expect(names).not.toContain("orphan-1")
      expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(imageIn(shard)))
    })
)

it.effect(
  "a newest one that is damaged is no absence; the one before it is there, whole, and the next save spares it",
  () =>
    Effect.gen(function* () {
      const { kv, open } = metered(tiny)
      const disk = ShardMemory.disk()
      const shard = ShardMemory.make(disk)
      writeAll(shard, upTo(20), t0)
      yield* open().save("shard-0", shard.source, t0)
      const before = imageIn(shard)
      writeAll(shard, [1, 2, 30], t0 + 1)
      yield* open().save("shard-0", shard.source, t0 + 1)
      const { value } = Option.getOrThrow(yield* kv.get("~~snap/shard-0"))
      for (const damage of [value.subarray(0, -1), Uint8Array.of(1, 2, 3), new Uint8Array()]) {
        yield* kv.put("~~snap/shard-0", damage)
        expect(yield* Effect.flip(loaded(open(), "shard-0"))).toMatchObject({ operation: "load", reason: "Damaged" })
        const previous = ShardMemory.make()
        yield* open().load("shard-0", (part) => Effect.sync(() => previous.merge(part, t0)), "previous")
        expect(sorted(imageIn(previous))).toStrictEqual(sorted(before))
      }
      // An object that has lost its disk and was told to go by the one before.
      const renewed = ShardMemory.make()
      yield* open().load("shard-0", (part) => Effect.sync(() => renewed.merge(part, t0)), "previous")
      yield* open().save("shard-0", renewed.source, t0 + 2)
      expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(before))
    })
)

it.effect("a segment that is not visible yet is a failure that passes, not damage", () =>
  Effect.gen(function* () {
    const { kv, open } = metered({ ...tiny, wholeBytes: 0 })
    const shard = ShardMemory.make()
    writeAll(shard, upTo(30), t0)
    yield* open().save("shard-0", shard.source, t0)
    yield* kv.delete((yield* segmentKeys(kv))[0]!)
    expect((yield* Effect.flip(loaded(open(), "shard-0"))).reason).toBe("Unavailable")
  })
)

it.effect.each(["damaged", "gone"])(
  "where both generations need a segment that is %s, all that can be read of them is taken on command",
  (how) =>
    Effect.gen(function* () {
      const { kv, open } = metered({ ...tiny, wholeBytes: 0 })
      const shard = ShardMemory.make()
      writeAll(shard, upTo(60), t0)
      for (const at of [0, 1]) {
        yield* open().save("shard-0", shard.source, t0 + at)
        writeAll(shard, [1, 2], t0 + at)
      }
      const segments = yield* segmentKeys(kv)
      expect(segments.length).toBeGreaterThan(2)
      const whole = imageIn(shard)
      yield* how === "gone" ? kv.delete(segments[1]!) : kv.put(segments[1]!, Uint8Array.of(1, 2, 3))
      const restored = ShardMemory.make()
      const restore = (which: "newest" | "previous" | "readable") =>
        open().load("shard-0", (part) => Effect.sync(() => restored.merge(part, t0)), which)
      for (const which of ["newest", "previous"] as const)
        expect((yield* Effect.exit(restore(which)))._tag).toBe("Failure")
      expect(yield* restore("readable")).toBe(true)
      const { rows } = imageIn(restored)
      expect(rows.length).toBeGreaterThan(0)
      expect(rows.length).toBeLessThan(whole.rows.length)
      const known = new Map(whole.rows.map((row) => [row.id, row]))
      for (const row of rows) if (!["a/00001", "a/00002"].includes(row.id)) expect(row).toStrictEqual(known.get(row.id))
      // It goes on from there: the next one can be read as any other.
      yield* open().save("shard-0", restored.source, t0 + 5)
      expect(sorted(yield* loaded(open(), "shard-0"))).toStrictEqual(sorted(imageIn(restored)))
    })
)

it.effect("what KV does not answer for is not left out", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    const failing = {
      ...kv,
      get: () => Effect.fail(new KvError({ operation: "get" as const, reason: "Unavailable" as const }))
    }
    const error = yield* Effect.flip(SnapshotsKv.make(failing).load("shard-0", () => Effect.void, "readable"))
    expect(error.reason).toBe("Unavailable")
  })
)

it.effect("a value of KV's own size, which does not compress, is kept in parts", () =>
  Effect.gen(function* () {
    const { kv, open } = metered()
    const image = { rows: [rowOf("big", 1, 25 * 1024 * 1024), rowOf("small", 2)], tags: new Map() }
    yield* open().save("shard-0", sourceOf(image), 1)
    expect((yield* segmentKeys(kv)).length).toBeGreaterThanOrEqual(2)
    const found = yield* loaded(open(), "shard-0")
    const big = found?.rows.find(({ id }) => id === "big")?.body?.value
    expect(Buffer.compare(big!, image.rows[0]!.body!.value)).toBe(0)
    expect(found?.rows.length).toBe(2)
  })
)
