import assert from "node:assert/strict"
import { clockSkewMillis, type ShardWrite, tombstoneMillis } from "../../../src/services/durable/Shard.ts"
import { billOf, bodyOf, outside, put, remove, stampAt, t0 } from "../../support/durable/shardActs.ts"
import type { Law } from "./shardLaw.ts"

/** What a shard is billed, and what it counts. */
export const bills: ReadonlyArray<Law> = [
  {
    name: "one row is written per applied write, none for an unchanged one, and one is read per hit",
    check: (world) => {
      const shard = world.begin()
      shard.apply([put("a/dirty", t0)], t0)
      const entry = bodyOf("v", { tags: ["t"] })
      assert.equal(billOf(shard, () => shard.apply([put("a/1", t0, entry)], t0)).written, 1)
      assert.equal(billOf(shard, () => shard.apply([put("a/1", t0, entry)], t0)).written, 0)
      assert.equal(billOf(shard, () => shard.apply([put("a/1", t0, bodyOf("w"))], t0)).written, 1)
      assert.equal(billOf(shard, () => shard.apply([remove("a/1", t0)], t0)).written, 1)
      assert.equal(billOf(shard, () => shard.apply([put("a/1", t0), put("a/2", t0)], t0)).written, 2)
      assert.deepStrictEqual(
        billOf(shard, () => shard.getMany(["a/1", "a/2", "a/none"], t0)),
        { read: 2, written: 0 }
      )
      assert.equal(billOf(shard, () => shard.invalidateTags(["t", "u", "t"], stampAt(t0), t0)).written, 2)
      assert.equal(billOf(shard, () => shard.clear("a/", stampAt(t0), 2, t0)).written, 2)
      assert.deepStrictEqual(
        billOf(shard, () => shard.lease("a/2", t0 + 5, t0)),
        { read: 1, written: 0 }
      )
      assert.equal(billOf(shard, () => shard.dirty()).read, 0)
    }
  },
  {
    name: "the turns of the dirty flag are one row each, and reads are counted at one row in a thousand",
    check: (world) => {
      const shard = world.begin()
      assert.equal(shard.dirty(), false)
      assert.equal(billOf(shard, () => shard.apply([put("a/1", t0), put("a/2", t0)], t0)).written, 3)
      assert.equal(billOf(shard, () => shard.clean(shard.capture().mark)).written, 1)
      assert.equal(billOf(shard, () => shard.clean(shard.capture().mark)).written, 0)
      const reads = () => {
        for (let i = 0; i < 2000; i++) shard.getMany(["a/1", "a/none"], t0)
      }
      assert.deepStrictEqual(billOf(shard, reads), { read: 2000, written: 4 })
    }
  },
  {
    name: "counts are those since the object was made",
    check: (world) => {
      const shard = world.begin()
      shard.apply([put("a/1", t0), put("a/2", t0, bodyOf("four")), remove("a/3", t0)], t0)
      shard.getMany(["a/1", "a/2", "a/3", "a/4"], t0)
      shard.clean(shard.capture().mark)
      const stats = shard.stats()
      assert.deepStrictEqual(
        [stats.entries, stats.tombstones, stats.bytes, stats.hits, stats.reads, stats.rowsWritten >= 4],
        [2, 1, 5, 2, 4, true]
      )
      const after = world.restart().stats()
      assert.deepStrictEqual([after.hits, after.reads, after.entries], [2, 4, 2])
      assert(after.rowsWritten >= stats.rowsWritten, "rows written before the restart are forgotten")
    }
  },
  {
    name: "what the clocks alone decide between two writers is counted as a conflict, and the count outlives a restart",
    check: (world) => {
      const shard = world.begin()
      const by = (writer: string, at: number) => ({
        ...put("a/1", at, bodyOf(`${writer} at ${at}`)),
        stamp: { ...stampAt(at), writer }
      })
      const conflicts = (at: number, write: ShardWrite) => {
        const before = shard.stats().conflicts
        shard.apply([write], at)
        return shard.stats().conflicts - before
      }
      assert.equal(conflicts(t0, by("ann", t0)), 0)
      assert.equal(conflicts(t0, by("bob", t0)), 0, "arrival decides between first tries")
      assert.equal(conflicts(t0 + 2, outside(by("bob", t0))), 0, "a writer is ordered with itself")
      assert.equal(conflicts(t0 + 3, outside(by("cy", t0 - clockSkewMillis))), 1)
      assert.equal(conflicts(t0 + 4, outside(by("cy", t0 - clockSkewMillis - 1))), 0)
      assert.equal(conflicts(t0 + 5000, outside(by("cy", t0 + clockSkewMillis + 1))), 0)
      assert.equal(conflicts(t0 + 5001, outside(by("ann", t0 + clockSkewMillis + 2))), 1)
      shard.clean(shard.capture().mark)
      assert.equal(world.restart().stats().conflicts, 2)
    }
  },
  {
    name: "a capture puts aside what changes before it is taken, once, and nothing that is not wanted",
    check: (world) => {
      const shard = world.begin()
      const ids = ["a/1", "a/2", "a/3"]
      shard.apply(
        ids.map((id) => put(id, t0, bodyOf("before"))),
        t0
      )
      const capture = shard.capture()
      capture.only(["a/1", "a/2"])
      const change = (id: string, at: number) => () => shard.apply([put(id, at, bodyOf("x".repeat(at - t0)))], at)
      const plain = billOf(shard, change("a/3", t0 + 1))
      assert.deepStrictEqual(billOf(shard, change("a/1", t0 + 2)), { ...plain, read: plain.read + 1 })
      assert.deepStrictEqual(billOf(shard, change("a/1", t0 + 3)), plain)
      shard.apply([remove("a/2", t0 + 4)], t0 + 4)
      shard.sweep(10, t0 + 5 + tombstoneMillis)
      assert.deepStrictEqual(
        capture.take(["a/2", "a/1"]).map(({ body }) => new TextDecoder().decode(body?.value)),
        ["before", "before"]
      )
      assert.deepStrictEqual(billOf(shard, change("a/1", t0 + 6)), plain)
      const closed = shard.capture()
      closed.close()
      assert.deepStrictEqual(billOf(shard, change("a/1", t0 + 7)), plain)
    }
  }
]
