import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import type { Miniflare } from "miniflare"
import { laws } from "../../contracts/durable/Shard.ts"
import { bundle, start } from "../../support/miniflare.ts"
import { runs } from "../../support/runs.ts"

const worker = new URL("../../support/durable/shardWorker.ts", import.meta.url)
const objects = { SHARD: { className: "TestShard", useSQLite: true } }

let script: string
let runtime: Miniflare

const ask = async (what: string, shard: string, runs = 0): Promise<string> => {
  const url = `http://larder.test/${shard}/${encodeURIComponent(what)}?runs=${runs}`
  return (await runtime.dispatchFetch(url)).text()
}

beforeAll(async () => {
  script = await bundle(worker)
  runtime = start(script, {}, { durableObjects: objects })
})

afterAll(() => runtime.dispose())

describe("ShardSqlite, in a Durable Object of workerd, keeps the contract of Shard:", () => {
  it.each(laws.map(({ name }) => name))("%s", async (name) => {
    expect(await ask(name, "laws", runs(100))).toBe("")
  })
})

describe("ShardSqlite", () => {
  it("answers and bills as ShardMemory does, whatever is done to both", async () => {
    expect(await ask("twin", "twin", runs(100))).toBe("")
  })

  it("reads tables that were made before rows told when they changed", async () => {
    expect(await ask("old", "old")).toBe("")
  })

  it("takes back, with a write that SQLite refuses, those before it in its batch", async () => {
    expect(await ask("rollback", "rollback")).toBe("")
  })

  it("refuses what it has no room for, by itself, and takes deletes and what is smaller", async () => {
    expect(await ask("full", "full")).toBe("")
  })

  it("keeps all of it through the end of the process: rows, parts, tombstones, marks, the flag and the counts", async () => {
    const directory = await mkdtemp(join(tmpdir(), "larder-shard-"))
    const open = () => start(script, {}, { durableObjects: objects, durableObjectsPersist: directory })
    const before = runtime
    try {
      runtime = open()
      const kept = JSON.parse(await ask("keep", "kept"))
      await runtime.dispose()
      runtime = open()
      expect(JSON.parse(await ask("recall", "kept"))).toEqual(kept)
      expect(kept).toMatchObject({
        dirty: true,
        living: ["a/large", "a/later"],
        stats: { entries: 3, tombstones: 1, bytes: 4_000_002, hits: 1, reads: 2 }
      })
      expect(kept.rows.map(({ ahead }: { ahead: ReadonlyArray<unknown> }) => ahead.length)).toEqual([1, 1, 1])
    } finally {
      await runtime.dispose()
      runtime = before
      await rm(directory, { recursive: true })
    }
  })
})
