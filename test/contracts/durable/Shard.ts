import assert from "node:assert/strict"
import { sealedTo } from "../../../src/services/durable/model/Topology.ts"
import { type Shard, tombstoneMillis } from "../../../src/services/durable/Shard.ts"
import { compareStamps, zeroStamp } from "../../../src/services/store/model/Entry.ts"
import {
  billOf,
  bodyOf,
  day,
  outcomes,
  outside,
  put,
  remove,
  stampAt,
  t0,
  textOf
} from "../../support/durable/shardActs.ts"
import { cleaned, imageIn } from "../../support/snapshots/wholeImages.ts"
import { bills } from "./shardBills.ts"
import type { Law } from "./shardLaw.ts"
import { properties } from "./shardProperties.ts"

type ShardService = Shard["Type"]

/** What every layer of `Shard` promises. */
export const laws: ReadonlyArray<Law> = [
  ...properties,
  ...bills,
  {
    name: "its living rows and tombstones can be had in order, a page at a time, and dropped with all marks",
    check: (world) => {
      const shard = world.begin()
      const ids = ["a/1", "a/2", "a/𝄞", "b/1", "b/ï"]
      shard.apply(
        ids.map((id) => put(id, t0)),
        t0
      )
      shard.apply([remove("a/2", t0), put("a/0", t0, bodyOf("v", { expiresAt: t0 + 5 }))], t0)
      shard.apply([put("a/3", t0, bodyOf("v", { tags: ["t"] }))], t0)
      shard.invalidateTags(["t"], stampAt(t0), t0)
      const found: Array<string> = []
      for (let after = ""; ; ) {
        const { last, rows } = shard.rowsAfter(after, 2, 1000, t0 + 5)
        found.push(...rows.map(({ body, id }) => (body === undefined ? `-${id}` : id)))
        if (last === undefined) break
        after = last
      }
      assert.deepStrictEqual(found, ["a/1", "-a/2", "a/𝄞", "b/1", "b/ï"])
      assert.equal(shard.rowsAfter("", 100, 0, t0).rows.length, 1)
      assert.deepStrictEqual([...shard.marks().keys()], ["t"])
      cleaned(shard)
      assert.deepStrictEqual([shard.drop(4), shard.drop(4), shard.drop(4)], [4, 3, 0])
      assert.equal(shard.dirty(), true)
      const after = world.restart()
      assert.deepStrictEqual(imageIn(after), { rows: [], tags: new Map() })
      assert.deepStrictEqual([after.stats().entries, after.stats().tombstones], [0, 0])
    }
  },
  {
    name: "how far it is with giving its keys away, and which disk it has, outlive a restart",
    check: (world) => {
      const shard = world.begin()
      assert.equal(shard.seal(), undefined)
      const life = shard.diskId()
      const seal = { ...sealedTo({ generation: 1, shards: 3 }), through: "a/𝄞", lives: [life] }
      assert.equal(billOf(shard, () => shard.setSeal(seal)).written, 1)
      assert.deepStrictEqual([shard.seal(), world.restart().seal()], [seal, seal])
      assert.deepStrictEqual([shard.diskId(), world.restart().diskId()], [life, life])
      assert.notEqual(world.begin().diskId(), life)
    }
  },
  {
    name: "a value of any size comes back byte for byte, also after a shorter and a longer one",
    check: (world) => {
      const shard = world.begin()
      const sizes = [0, 1, 1_899_999, 1_900_000, 1_900_001, 5_800_000, 3_800_000, 70_000, 3_900_000]
      sizes.forEach((size, nth) => {
        const value = new Uint8Array(size + 7).subarray(7)
        for (let i = 0; i < size; i++) value[i] = (i * 31 + nth + (i >> 13)) & 255
        const before = shard.stats().bytes
        const parts = (bytes: number) => Math.max(1, Math.ceil(bytes / 1_900_000))
        const written = billOf(shard, () => shard.apply([put("a/big", t0, bodyOf("", { value }))], t0)).written
        assert.equal(written, Math.max(parts(size), parts(before)) + (nth === 0 ? 1 : 0))
        const found = world.restart().getMany(["a/big"], t0)[0]!.value
        assert.equal(Buffer.compare(found, value), 0, `${size} bytes came back changed`)
        assert.deepStrictEqual(outcomes(shard, t0, put("a/big", t0, bodyOf("", { value }))), ["unchanged"])
        if (size > 0) {
          const other = value.slice()
          other[size - 1]! ^= 1
          assert.deepStrictEqual(outcomes(shard, t0, put("a/big", t0, bodyOf("", { value: other }))), ["applied"])
        }
      })
      shard.apply([remove("a/big", t0)], t0)
      assert.equal(shard.stats().bytes, 0)
      assert.equal(imageIn(shard).rows.length, 1)
      const short = bodyOf("", { value: new Uint8Array(3_900_000), expiresAt: t0 + 5 })
      shard.apply([put("a/short", t0, short)], t0)
      assert.equal(billOf(shard, () => shard.sweep(1, t0 + 5)).written, 3)
    }
  },
  {
    name: "a put is unchanged only if value, content type, tags and expiry are those that live there",
    check: (world) => {
      const shard = world.begin()
      const same = bodyOf("v", { tags: ["t", "u"], expiresAt: t0 + 100 })
      const [first] = shard.apply([put("a/1", t0, same)], t0)
      const [second] = shard.apply([put("a/1", t0 + 1, { ...same, loadMillis: 9 })], t0 + 1)
      assert.deepStrictEqual(second, { outcome: "unchanged", version: first!.version, replaced: true })
      const others = [
        bodyOf("w", same),
        { ...same, value: new TextEncoder().encode("w") },
        { ...same, contentType: "text/html" },
        { ...same, tags: ["t"] },
        { ...same, tags: ["u", "t"] },
        { ...same, expiresAt: t0 + 101 }
      ]
      for (const other of others.slice(1)) {
        assert.deepStrictEqual(outcomes(shard, t0 + 2, put("a/1", t0 + 2, other)), ["applied"])
        shard.apply([put("a/1", t0 + 2, same)], t0 + 2)
      }
      assert.deepStrictEqual(outcomes(shard, t0 + 100, put("a/1", t0 + 100, same)), ["applied"], "it had expired")
      shard.apply([put("a/2", t0, bodyOf("v", { tags: ["t"] }))], t0 + 101)
      shard.invalidateTags(["t"], stampAt(t0 + 101), t0 + 101)
      const again = put("a/2", t0 + 101, bodyOf("v", { tags: ["t"] }))
      assert.deepStrictEqual(outcomes(shard, t0 + 101, again), ["applied"], "it had been invalidated")
      assert.equal(textOf(shard, "a/2", t0 + 101), "v")
    }
  },
  {
    name: "a delete, even of what never was, beats an older outside write that arrives up to eight days later",
    check: (world) => {
      const shard = world.begin()
      const late = outside(put("a/1", t0))
      shard.apply([remove("a/1", t0 + 10)], t0 + 10)
      assert.deepStrictEqual(outcomes(world.restart(), t0 + 7 * day, late), ["overtaken"])
      const sweeper = world.restart()
      assert.equal(sweeper.sweep(10, t0 + 9 + tombstoneMillis).dropped, 0)
      assert.deepStrictEqual(outcomes(sweeper, t0 + 9 + tombstoneMillis, late), ["overtaken"])
      assert.equal(sweeper.sweep(10, t0 + 10 + tombstoneMillis).dropped, 1)
      assert.equal(sweeper.stats().tombstones, 0)
    }
  },
  {
    name: "what arrives after an invalidation lives, in the same millisecond and from a clock that lags",
    check: (world) => {
      const shard = world.begin()
      const tagged = bodyOf("v", { tags: ["t"] })
      shard.apply([put("a/1", t0 + 500, tagged)], t0)
      shard.invalidateTags(["t"], stampAt(t0 - 500), t0)
      assert.equal(textOf(shard, "a/1", t0), undefined)
      shard.apply([put("a/1", t0, tagged)], t0)
      shard.apply([{ ...put("a/2", t0 - 900, tagged), firstUntil: t0 }], t0)
      assert.deepStrictEqual([textOf(shard, "a/1", t0), textOf(shard, "a/2", t0)], ["v", "v"])
      shard.invalidateTags(["t"], stampAt(t0), t0)
      assert.deepStrictEqual([textOf(shard, "a/1", t0), textOf(shard, "a/2", t0)], [undefined, undefined])
      assert.deepStrictEqual(shard.apply([put("a/1", t0)], t0)[0]!.replaced, false)
    }
  },
  {
    name: "a write stamped ahead of the clock is not taken in again after a merge over it",
    check: (world) => {
      const shard = world.begin()
      const ahead = outside(put("a/1", t0 + 5000))
      shard.apply([ahead], t0)
      const rows = [{ id: "a/1", version: stampAt(t0 + 100), ahead: [], body: bodyOf("merged"), deletedAt: 0 }]
      assert.equal(shard.merge({ rows, tags: new Map() }, t0 + 100), 1)
      assert.deepStrictEqual(outcomes(shard, t0 + 6000, ahead), ["overtaken"])
      assert.equal(textOf(shard, "a/1", t0 + 6000), "merged")
    }
  },
  {
    name: "no invalidation lowers a mark that a merge brought",
    check: (world) => {
      const shard = world.begin()
      shard.invalidateTags(["u"], stampAt(t0), t0)
      const merged = stampAt(t0 + 5000)
      shard.merge({ rows: [], tags: new Map([["t", merged]]) }, t0)
      assert(compareStamps(shard.invalidateTags(["t"], stampAt(t0), t0), merged) > 0)
    }
  },
  {
    name: "an outside write from before an invalidation stays dead, and keeps an older one out",
    check: (world) => {
      const shard = world.begin()
      const [older, newer] = [outside(put("a/1", t0)), outside(put("a/1", t0 + 1, bodyOf("v", { tags: ["t"] })))]
      shard.invalidateTags(["t"], stampAt(t0 + 2), t0 + 2)
      assert.deepStrictEqual(outcomes(shard, t0 + 3, newer, older), ["ended", "overtaken"])
      assert.equal(textOf(world.restart(), "a/1", t0 + 3), undefined)
    }
  },
  {
    name: "a slow load never overwrites a write, a delete, a clear or an invalidation that came meanwhile",
    check: (world) => {
      const after = (act: (shard: ShardService) => unknown) => (shard: ShardService) => {
        act(shard)
        return shard
      }
      const ends: ReadonlyArray<(shard: ShardService) => ShardService> = [
        after((shard) => shard.apply([put("a/1", t0)], t0)),
        after((shard) => shard.apply([remove("a/1", t0)], t0)),
        after((shard) => shard.clear("a/", stampAt(t0), t0)),
        after((shard) => shard.invalidateTags(["other"], stampAt(t0), t0)),
        () => world.restart()
      ]
      for (const end of ends) {
        const begun = world.begin()
        const lease = begun.lease("a/1", t0 + 1000, t0)!
        assert.equal(begun.lease("a/1", t0 + 1000, t0), undefined)
        const shard = end(begun)
        const before = textOf(shard, "a/1", t0 + 1)
        const fill = { ...put("a/1", t0, bodyOf("loaded")), lease }
        assert.deepStrictEqual(outcomes(shard, t0 + 1, fill), ["overtaken"])
        assert.equal(textOf(shard, "a/1", t0 + 1), before)
      }
    }
  },
  {
    name: "a lease is good until its moment, for one fill, and is no one's after release",
    check: (world) => {
      const shard = world.begin()
      const first = shard.lease("a/1", t0 + 10, t0)!
      assert.deepStrictEqual(outcomes(shard, t0 + 10, { ...put("a/1", t0), lease: first }), ["overtaken"])
      const second = shard.lease("a/1", t0 + 20, t0 + 10)!
      assert.notEqual(second, first)
      shard.release("a/1", first)
      assert.equal(shard.lease("a/1", t0 + 20, t0 + 10), undefined)
      shard.release("a/1", second)
      const third = shard.lease("a/1", t0 + 20, t0 + 10)!
      const fill = { ...outside(put("a/1", t0 - 5000)), lease: third }
      assert.deepStrictEqual(outcomes(shard, t0 + 11, fill, fill), ["applied", "overtaken"])
      assert.equal(shard.lease("a/1", t0 + 20, t0 + 12), undefined, "an entry is there")
      shard.release("a/none", 1)
    }
  },
  {
    name: "a sweep goes on where it stopped, says when there is more to drop, and dirties nothing",
    check: (world) => {
      const shard = world.begin()
      const short = Array.from({ length: 2500 }, (_, i) => put(`a/${i}`, t0, bodyOf("v", { expiresAt: t0 + 5 })))
      shard.apply([...short, put("a/stays", t0)], t0)
      cleaned(shard)
      assert.deepStrictEqual(shard.sweep(10_000, t0 + 4), { dropped: 0, next: t0 + 5 })
      assert.deepStrictEqual(shard.sweep(1200, t0 + 5), { dropped: 1200, next: t0 + 5 })
      assert.deepStrictEqual(shard.sweep(1200, t0 + 5), { dropped: 1200, next: t0 + 5 })
      assert.deepStrictEqual(shard.sweep(1200, t0 + 5), { dropped: 100, next: Number.POSITIVE_INFINITY })
      assert.deepStrictEqual(
        shard.list("", undefined, 10, t0).map(({ id }) => id),
        ["a/stays"]
      )
      assert.equal(shard.dirty(), false)
      assert.equal(billOf(shard, () => shard.sweep(1200, t0 + day)).read, 0)
    }
  },
  {
    name: "a write under an id that no row keeps has the zero version before it",
    check: (world) => {
      const shard = world.begin()
      const [written] = shard.apply([{ ...put("a/1", t0), lease: 1 }], t0)
      assert.deepStrictEqual(written, { outcome: "overtaken", version: zeroStamp, replaced: false })
    }
  }
]
