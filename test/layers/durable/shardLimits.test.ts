import { readFileSync } from "node:fs"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import { runs } from "../../support/runs.ts"

const start = 1_764_237_000_000

const document = readFileSync(new URL("../../../docs/limits.md", import.meta.url), "utf8")

/** The bounds of the first table of docs/limits.md, by the first word of their row. */
const bounds = new Map(
  [
    ...document
      .slice(0, document.indexOf("## What an isolate keeps"))
      .matchAll(/^\| (read|write|list|clear|invalidation|sweep)\b[^|]*\| ([^|]+) \| ([^|]+) \|/gm)
  ].map(([, name, read, written]) => [name!, { read: read!, written: written! }])
)

/** A bound such as `20 (L + 1)` or `4n + 2`, at a size. */
const at = (bound: string, size: number): number => {
  const sum = (text: string): number =>
    text.split("+").reduce((total, term) => {
      const [, factor = "", variable] = /^\s*([\d,]*)\s*([nLR])?\s*$/.exec(term)!
      return total + (factor === "" ? 1 : Number(factor.replace(",", ""))) * (variable === undefined ? 1 : size)
    }, 0)
  const product = /^(\d+) \((.*)\)$/.exec(bound.trim())
  return product === null ? sum(bound) : Number(product[1]) * sum(product[2]!)
}

const idOf = (index: number): string => `notes/${String(index).padStart(6, "0")}`

const shardOf = (entries: number, ttl: number) => {
  const shard = ShardMemory.make()
  let counter = 0
  const write = (indices: ReadonlyArray<number>) =>
    shard.apply(
      indices.map((index) => ({
        id: idOf(index),
        stamp: { wall: start, counter: counter++, writer: "test" },
        body: {
          value: new Uint8Array(20),
          contentType: "text/plain",
          tags: [],
          expiresAt: index % 2 === 0 ? start + ttl : Number.POSITIVE_INFINITY,
          loadMillis: 0
        }
      })),
      start
    )
  write(Array.from({ length: entries }, (_, index) => index))
  return { shard, write }
}

type World = ReturnType<typeof shardOf>

const stamp = { wall: start + 1, counter: 0, writer: "test" }

const operations: Record<string, (world: World, size: number) => void> = {
  read: ({ shard }, size) =>
    shard.getMany(
      Array.from({ length: size }, (_, index) => idOf(index * 2)),
      start
    ),
  write: ({ write }, size) => write(Array.from({ length: size }, (_, index) => index * 2)),
  list: ({ shard }, size) => shard.list("notes/", undefined, size, start),
  clear: ({ shard }) => shard.clear("notes/", stamp, start),
  invalidation: ({ shard }, size) =>
    shard.invalidateTags(
      Array.from({ length: size }, (_, index) => `t${index}`),
      stamp,
      start
    ),
  sweep: ({ shard }, size) => shard.sweep(size, start + 10_000)
}

describe("what docs/limits.md says of a shard's operations", () => {
  it("names them all", () => {
    assert.deepStrictEqual([...bounds.keys()].sort(), Object.keys(operations).sort())
  })

  for (const [name, operation] of Object.entries(operations)) {
    it(`${name} stays within its bound, whatever is kept`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 1, max: 100 }), (entries, size) => {
          const world = shardOf(entries, 1000)
          if (name === "list" && size % 2 === 0) world.shard.clear("notes/", stamp, start)
          const before = world.shard.billed()
          operation(world, size)
          const after = world.shard.billed()
          const { read, written } = bounds.get(name)!
          assert.isAtMost(after.rowsRead - before.rowsRead, at(read, size), "rows read")
          assert.isAtMost(after.rowsWritten - before.rowsWritten, at(written, size), "rows written")
        }),
        { numRuns: runs(30) }
      )
    })
  }
})
