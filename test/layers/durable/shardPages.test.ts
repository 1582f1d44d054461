import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as Segment from "../../../src/services/snapshots/model/Segment.ts"
import { bodyOf, put, t0 } from "../../support/durable/shardActs.ts"

const valueBytes = 190

/** Entries of a packed collection, and what a write of them costs. */
const packedShard = (entries: number) => {
  const disk = ShardMemory.disk()
  const shard = ShardMemory.make(disk)
  let now = t0
  const costOf = (keys: ReadonlyArray<number>) => {
    const before = { written: shard.billed().rowsWritten, pages: new Map(disk.pages) }
    now += 1
    shard.apply(
      keys.map((key) => {
        const value = new Uint8Array(valueBytes)
        value.set(new TextEncoder().encode(`${now}`))
        return { ...put(`states/${String(key).padStart(6, "0")}`, now, bodyOf("", { value })), packed: true }
      }),
      now
    )
    const changed = [...disk.pages.values()].filter((page) => before.pages.get(page.head.first) !== page)
    return {
      rows: shard.billed().rowsWritten - before.written,
      bytes: changed.reduce((sum, { rows }) => sum + rows.byteLength, 0)
    }
  }
  const all = Array.from({ length: entries }, (_, key) => key)
  costOf(all)
  return { all, costOf, shard, disk }
}

describe("a packed collection of a shard", () => {
  it.each([
    [10, 1],
    [100, 1],
    [1000, 10],
    [10_000, 100]
  ])("of %d entries is written as a whole with at most %d rows", (entries, rows) => {
    const { all, costOf } = packedShard(entries)
    const sweeps = Array.from({ length: 3 }, () => costOf(all))
    for (const { bytes, rows: written } of sweeps) {
      expect(written).toBeLessThanOrEqual(Math.ceil(rows * 1.3))
      expect(bytes).toBeLessThanOrEqual(1.4 * valueBytes * entries)
    }
  })

  it.each([
    10, 100, 1000, 10_000
  ])("of %d entries rewrites at most 8 KiB for one of them, after a few such writes", (entries) => {
    const { costOf } = packedShard(entries)
    const key = Math.floor(entries / 2)
    const costs = Array.from({ length: 40 }, () => costOf([key]))
    expect(Math.max(...costs.map(({ bytes }) => bytes))).toBeLessThanOrEqual(32 * 1024)
    // A row each; one more for every halving.
    expect(costs.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(40 + 3)
    const settled = costs.at(-1)!
    expect(settled.rows).toBe(1)
    expect(settled.bytes).toBeLessThanOrEqual(8 * 1024)
  })

  it("is one row a write again when it is written as a whole", () => {
    const { all, costOf, disk } = packedShard(100)
    for (let write = 0; write < 40; write++) costOf([50])
    expect(disk.pages.size).toBeGreaterThan(1)
    costOf(all)
    costOf(all)
    expect(disk.pages.size).toBe(1)
    expect(costOf(all).rows).toBe(1)
  })

  it("is restored from a snapshot with a row for each page", () => {
    const { shard } = packedShard(1000)
    const image = shard.source.whole(1e6, t0)!
    const restored = ShardMemory.make(ShardMemory.disk())
    const before = restored.billed().rowsWritten
    expect(restored.merge(Either.getOrThrow(Segment.decode(Either.getOrThrow(Segment.encode(image)))), t0)).toBe(1000)
    expect(restored.billed().rowsWritten - before).toBeLessThanOrEqual(13)
    expect(restored.source.whole(1e6, t0)!.rows).toStrictEqual(image.rows)
  })

  it("is read with one row for each page, and with none again", () => {
    const { all, disk } = packedShard(100)
    const shard = ShardMemory.make(disk)
    const ids = all.map((key) => `states/${String(key).padStart(6, "0")}`)
    const before = shard.billed().rowsRead
    expect(shard.getMany(ids, t0).filter((entry) => entry !== undefined)).toHaveLength(100)
    shard.getMany(ids, t0)
    expect(shard.billed().rowsRead - before).toBe(disk.pages.size)
  })

  it("goes from row to page and back with its policy, an entry with its next write, and nothing of it hides", () => {
    const disk = ShardMemory.disk()
    const shard = ShardMemory.make(disk)
    const ids = ["a/1", "a/2", "a/3"]
    const write = (id: string, packed: boolean, text: string) =>
      shard.apply([{ ...put(id, t0, bodyOf(text)), packed }], t0)
    const texts = () => shard.getMany(ids, t0).map((entry) => entry && new TextDecoder().decode(entry.value))
    for (const id of ids) write(id, false, "plain")
    write("a/2", true, "packed")
    expect(texts()).toStrictEqual(["plain", "packed", "plain"])
    expect([[...disk.rows.keys()], disk.pages.size]).toStrictEqual([["a/1", "a/3"], 1])
    for (const id of ids) write(id, true, "all packed")
    expect([disk.rows.size, disk.pages.size]).toStrictEqual([0, 1])
    expect(shard.list("a/", undefined, 10, t0).map(({ id }) => id)).toStrictEqual(ids)
    write("a/1", false, "plain again")
    expect(texts()).toStrictEqual(["plain again", "all packed", "all packed"])
    write("a/2", false, "plain again")
    write("a/3", false, "plain again")
    expect([disk.rows.size, disk.pages.size]).toStrictEqual([3, 0])
    expect(shard.stats()).toMatchObject({ entries: 3, tombstones: 0 })
  })
})
