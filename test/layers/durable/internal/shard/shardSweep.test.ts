import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as ShardMemory from "../../../../../src/layers/durable/ShardMemory.ts"
import { write } from "../../../../support/durable/shardWrite.ts"
import { runs } from "../../../../support/runs.ts"

const t0 = 1_764_237_000_000
const hour = 3_600_000

const filled = (count: number, expiresAt = Number.POSITIVE_INFINITY) => {
  const disk = ShardMemory.disk()
  const shard = ShardMemory.make(disk)
  shard.apply(
    Array.from({ length: count }, (_, index) =>
      write(`notes/${String(index).padStart(6, "0")}`, { wall: t0, expiresAt })
    ),
    t0
  )
  return { disk, shard }
}

/** Whether the sweep came to an end, and the rows it read and wrote. */
const costOf = (shard: ReturnType<typeof ShardMemory.make>, now: number) => {
  const before = shard.billed()
  let swept = shard.sweep(1000, now)
  while (swept.next <= now) swept = shard.sweep(1000, now)
  const after = shard.billed()
  return { read: after.rowsRead - before.rowsRead, written: after.rowsWritten - before.rowsWritten, next: swept.next }
}

describe("a sweep that finds nothing due", () => {
  it("reads all rows once, and none in a later life", () => {
    const { disk, shard } = filled(5000)
    assert.isAtLeast(costOf(shard, t0 + 1).read, 5000)
    for (let life = 0; life < 3; life++) {
      const { next, read, written } = costOf(ShardMemory.make(disk), t0 + 2 + life)
      assert.isAtMost(read, 2)
      assert.deepStrictEqual([written, next], [0, Number.POSITIVE_INFINITY])
    }
  })

  it("leaves no note of a few rows: it would cost more than looking again", () => {
    const { disk, shard } = filled(500)
    assert.strictEqual(costOf(shard, t0 + 1).written, 0)
    assert.isFalse(disk.notes.has("due"))
  })

  it("is due again for what is written, cleared or invalidated after it, also in a later life", () => {
    for (const change of [
      (shard: ReturnType<typeof ShardMemory.make>) =>
        void shard.apply([write("notes/x", { wall: t0, expiresAt: t0 + hour })], t0),
      (shard: ReturnType<typeof ShardMemory.make>) =>
        void shard.clear("notes/", { wall: t0 + 5, counter: 0, writer: "w" }, t0 + 5),
      (shard: ReturnType<typeof ShardMemory.make>) =>
        void shard.merge(
          {
            rows: [
              {
                ...write("notes/x"),
                version: { wall: t0, counter: 0, writer: "w" },
                ahead: [],
                deletedAt: 0,
                body: { ...write("notes/x").body!, expiresAt: t0 + hour }
              }
            ],
            tags: new Map()
          },
          t0
        )
    ]) {
      const { disk, shard } = filled(3000)
      costOf(shard, t0 + 1)
      change(ShardMemory.make(disk))
      const later = ShardMemory.make(disk)
      costOf(later, t0 + 2 * hour)
      assert.isUndefined(later.list("notes/x", undefined, 1, t0)[0])
      assert.strictEqual(ShardMemory.make(disk).stats().entries, disk.rows.size)
      assert.isFalse(disk.rows.has("notes/x"))
    }
  })

  it("keeps nothing that is over, whatever is written between lives", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }), (ends) => {
        const { disk, shard } = filled(1500)
        costOf(shard, t0 + 1)
        for (const [index, end] of ends.entries()) {
          ShardMemory.make(disk).apply([write(`due/${index}`, { wall: t0, expiresAt: t0 + end * 60_000 })], t0)
        }
        const longest = Math.max(...ends) * 60_000
        costOf(ShardMemory.make(disk), t0 + longest)
        assert.strictEqual(disk.rows.size, 1500)
      }),
      { numRuns: runs(30) }
    )
  })
})
