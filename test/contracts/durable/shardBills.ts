import assert from "node:assert/strict"
import { clockSkewMillis, type ShardWrite } from "../../../src/services/durable/Shard.ts"
import { billOf, bodyOf, outcomes, outside, put, remove, stampAt, t0, textOf } from "../../support/durable/shardActs.ts"
import { cleaned } from "../../support/snapshots/wholeImages.ts"
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
      assert.equal(billOf(shard, () => shard.clear("a/", stampAt(t0), t0)).written, 1)
      assert.deepStrictEqual(
        billOf(shard, () => shard.lease("a/2", t0 + 5, t0)),
        { read: 1, written: 0 }
      )
      assert.equal(billOf(shard, () => shard.dirty()).read, 0)
    }
  },
  {
    name: "the turns of the dirty flag are one row each, and reads are counted at one row in ten thousand",
    check: (world) => {
      const shard = world.begin()
      assert.equal(shard.dirty(), false)
      assert.equal(billOf(shard, () => shard.apply([put("a/1", t0), put("a/2", t0)], t0)).written, 3)
      assert.equal(billOf(shard, () => cleaned(shard)).written, 1)
      assert.equal(billOf(shard, () => cleaned(shard)).written, 0)
      const reads = () => {
        for (let i = 0; i < 5000; i++) shard.getMany(["a/1", "a/none"], t0)
      }
      assert.deepStrictEqual(billOf(shard, reads), { read: 5000, written: 1 })
    }
  },
  {
    name: "counts are those since the object was made",
    check: (world) => {
      const shard = world.begin()
      shard.apply([put("a/1", t0), put("a/2", t0, bodyOf("four")), remove("a/3", t0)], t0)
      shard.getMany(["a/1", "a/2", "a/3", "a/4"], t0)
      cleaned(shard)
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
      cleaned(shard)
      assert.equal(world.restart().stats().conflicts, 2)
    }
  },
  {
    name: "a clear is one row, whatever it ends, and ends what was written outside before it",
    check: (world) => {
      const shard = world.begin()
      const late = outside(put("a/late", t0))
      const many = Array.from({ length: 300 }, (_, i) => put(`a/${i}`, t0))
      shard.apply([...many, put("b/1", t0)], t0)
      const bill = billOf(shard, () => shard.clear("a/", stampAt(t0 + 1), t0 + 1))
      assert.equal(bill.written, 1)
      assert(bill.read <= 1)
      assert.deepStrictEqual(outcomes(shard, t0 + 2, late, put("a/after", t0 + 2)), ["ended", "applied"])
      for (const one of [shard, world.restart()]) {
        assert.deepStrictEqual(
          one.list("", undefined, 1000, t0 + 2).map(({ id }) => id),
          ["a/after", "b/1"]
        )
        assert.equal(textOf(one, "a/7", t0 + 2), undefined)
      }
      const swept = world.restart()
      assert.equal(swept.sweep(1000, t0 + 2).dropped, 301)
    }
  },
  {
    name: "of ten changed rows among very many, the next snapshot reads few others, also after a restart",
    check: (world) => {
      const shard = world.begin()
      const ids = Array.from({ length: 6_000 }, (_, i) => `a/${String(i).padStart(6, "0")}`)
      for (let at = 0; at < ids.length; at += 1000) {
        shard.apply(
          ids.slice(at, at + 1000).map((id) => put(id, t0)),
          t0
        )
      }
      const epoch = shard.source.begin()
      for (let after = ""; ; ) {
        const { last } = shard.source.rowsAfter(after, 1_000_000, t0)
        if (last === undefined) break
        after = last
      }
      shard.source.commit(shard.source.changes(0, epoch)!.mark, { made: 1 }, { epoch, isWhole: true })
      const changing = Array.from({ length: 10 }, (_, i) => put(ids[i * 599]!, t0 + 1, bodyOf("new")))
      const bill = billOf(shard, () => shard.apply(changing, t0 + 1))
      assert.equal(bill.written, changing.length + 1, "the dirty flag, and where to look, in one row")
      for (const one of [shard, world.restart()]) {
        let captured: ReadonlyArray<string> = []
        const { read } = billOf(one, () => {
          captured = one.source.changes(1000)!.rows.map(({ id }) => id)
        })
        assert.deepStrictEqual(captured, changing.map(({ id }) => id).sort())
        assert(read < 10 * 300, `${read} rows were read`)
      }
    }
  }
]
