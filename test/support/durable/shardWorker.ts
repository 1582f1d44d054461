import "../../setup.ts"
import { DurableObject } from "cloudflare:workers"
import assert from "node:assert/strict"
import * as fc from "effect/FastCheck"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as ShardSqlite from "../../../src/layers/durable/ShardSqlite.ts"
import type { Shard } from "../../../src/services/durable/Shard.ts"
import { laws } from "../../contracts/durable/Shard.ts"
import type { ShardWorld } from "../../contracts/durable/shardLaw.ts"
import oldTables from "../../fixtures/shard/tables-1.json"
import { imageIn } from "../snapshots/wholeImages.ts"
import { keep, recall } from "./shardKept.ts"
import { type Given, makeInterpreter, memberOf, noneGiven, operation } from "./shardSteps.ts"

/** A few rows, so that pages are split and joined. */
const paging = { pageBytes: 480 }

interface Env {
  readonly SHARD: DurableObjectNamespace
}

/** A shard's object that checks laws on its own SQLite: `GET /{shard}/{what}?runs=`, answered with what went wrong. */
export class TestShard extends DurableObject<Env> {
  readonly #make = () => {
    const { storage } = this.ctx
    return ShardSqlite.make(storage.sql, (body) => storage.transactionSync(body), paging)
  }

  readonly #world: ShardWorld = {
    begin: () => {
      const { sql } = this.ctx.storage
      const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray()
      for (const { name } of tables) if (!name.startsWith("_cf")) sql.exec(`DROP TABLE "${name}"`)
      return this.#make()
    },
    restart: this.#make
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const [, , what = ""] = url.pathname.split("/").map(decodeURIComponent)
    const runs = Number(url.searchParams.get("runs"))
    try {
      if (what === "keep") return Response.json(keep(this.#world.begin()))
      if (what === "recall") return Response.json(recall(this.#make()))
      if (what === "twin") checkTwin(this.#world, runs)
      else if (what === "rollback") checkRollback(this.ctx.storage, this.#world)
      else if (what === "full") checkFull(this.ctx.storage, this.#world)
      else if (what === "old") checkOldTables(this.ctx.storage.sql, this.#make)
      else laws.find(({ name }) => name === what)!.check(this.#world, runs)
      return new Response("")
    } catch (error) {
      return new Response(error instanceof Error ? error.stack : String(error))
    }
  }
}

/** Tables as they were before rows told when they changed: all that is in them counts as changed. */
const checkOldTables = (sql: SqlStorage, make: () => Shard["Type"]): void => {
  const now = 2000
  for (const { name } of sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray()) {
    if (!name.startsWith("_cf")) sql.exec(`DROP TABLE "${name}"`)
  }
  for (const statement of oldTables) sql.exec(statement)
  for (const shard of [make(), make()]) {
    const [living, ended, deleted] = shard.getMany(["a/living", "a/ended", "a/deleted"], now)
    assert.deepEqual([living?.tags, ended, deleted], [["t"], undefined, undefined])
    assert.equal(new TextDecoder().decode(living!.value), "1")
    const { rows, tags } = imageIn(shard)
    assert.deepEqual(
      rows.map(({ id }) => id).filter((id) => id !== "a/ended"),
      ["a/deleted", "a/living"]
    )
    assert.deepEqual([...tags.keys()], ["u"])
  }
  const shard = make()
  const stamp = { wall: 3000, counter: 0, writer: "w" }
  const body = {
    value: new Uint8Array(1),
    contentType: "",
    tags: [],
    expiresAt: Number.POSITIVE_INFINITY,
    loadMillis: 0
  }
  assert.equal(shard.apply([{ id: "a/living", stamp, body }], 3000)[0]!.outcome, "applied")
  assert.equal(shard.dirty(), true)
  assert.equal(make().getMany(["a/living"], 3000)[0]!.value.byteLength, 1)
}

/** `ShardSqlite` and `ShardMemory` answer alike and bill alike, whatever is done to both. */
const checkTwin = (world: ShardWorld, runs: number): void =>
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 50, size: "max" }), (operations) => {
      const disk = ShardMemory.disk()
      let [sqlite, memory] = [world.begin(), ShardMemory.make(disk, paging)]
      const [ours, theirs] = [noneGiven(), noneGiven()]
      const { look, step } = makeInterpreter()
      const alike = (act: (shard: Shard["Type"], given: Given) => unknown): void => {
        const told = [sqlite, memory].map((shard, nth) => {
          const before = shard.billed()
          const answer = act(shard, nth === 0 ? ours : theirs)
          const after = shard.billed()
          return { answer, read: after.rowsRead - before.rowsRead, written: after.rowsWritten - before.rowsWritten }
        })
        assert.deepStrictEqual(told[0], told[1])
      }
      for (const operation of operations) {
        const { clear, invalidate, now, restart, run } = step(operation)
        if (restart) {
          sqlite = world.restart()
          memory = ShardMemory.make(disk, paging)
        }
        if (invalidate !== undefined) alike((shard) => shard.invalidateTags(invalidate.tags, invalidate.stamp, now))
        if (clear !== undefined) alike((shard) => shard.clear(clear.prefix, clear.stamp, now))
        alike((shard, given) => run(memberOf(shard), given))
      }
      alike((shard) => look(memberOf(shard)))
      alike((shard) => ({ ...shard.stats(), ...shard.billed(), rowsRead: 0, rowsWritten: 0 }))
    }),
    { numRuns: runs }
  )

/** A write that SQLite refuses takes the writes before it back, and all that was remembered of them. */
const checkRollback = (storage: DurableObjectStorage, world: ShardWorld): void => {
  const shard = world.begin()
  const now = 1_700_000_000_000
  const write = (id: string, tags: ReadonlyArray<string>, contentType = "text/plain") => ({
    id,
    stamp: { wall: now, counter: 0, writer: "w" },
    firstUntil: now,
    body: { value: Uint8Array.of(1), contentType, tags, expiresAt: now + 5, loadMillis: 0 }
  })
  const before = shard.stats()
  const tooLarge = write("a/2", [], "x".repeat(3_000_000))
  assert.throws(() => shard.apply([write("a/1", ["t"]), tooLarge], now), /SQLITE_TOOBIG/)
  assert.deepStrictEqual(shard.getMany(["a/1", "a/2"], now), [undefined, undefined])
  assert.equal(shard.dirty(), false)
  assert.deepStrictEqual(imageIn(shard).rows, [])
  const { bytes, entries } = shard.stats()
  assert.deepStrictEqual({ bytes, entries }, { bytes: before.bytes, entries: before.entries })
  assert.equal(shard.apply([write("a/1", ["t"])], now)[0]!.outcome, "applied")
  const tags = new Map([["t", { wall: now + 100, counter: 0, writer: "w" }]])
  const row = { id: tooLarge.id, version: tooLarge.stamp, ahead: [], body: tooLarge.body, deletedAt: 0 }
  assert.throws(() => shard.merge({ rows: [row], tags }, now), /SQLITE_TOOBIG/)
  assert.equal(shard.list("", undefined, 10, now).length, 1)
  assert.equal(storage.sql.exec("SELECT value FROM state").toArray().length, 1)
  assert.equal(world.restart().dirty(), true)
  let fails = true
  const unsure = ShardSqlite.make(storage.sql, (body) =>
    storage.transactionSync(() => {
      const done = body()
      if (fails) throw new Error("not committed")
      return done
    })
  )
  assert.throws(() => unsure.sweep(10, now + 5), /not committed/)
  fails = false
  assert.equal(unsure.sweep(10, now + 5).dropped, 1)
}

/** Less than SQLite itself would take: each write is refused by itself, and what is deleted makes room again. */
const checkFull = (storage: DurableObjectStorage, world: ShardWorld): void => {
  world.begin()
  const shard = ShardSqlite.make(storage.sql, (body) => storage.transactionSync(body), undefined, 400_000)
  const now = 1_700_000_000_000
  let counter = 0
  const put = (id: string, bytes: number | undefined) => {
    const body = bytes !== undefined && {
      value: new Uint8Array(bytes),
      contentType: "",
      tags: [],
      expiresAt: Number.POSITIVE_INFINITY,
      loadMillis: 0
    }
    const stamp = { wall: now, counter: counter++, writer: "w" }
    return shard.apply([{ id, stamp, firstUntil: now, body: body || undefined }], now)[0]!.outcome
  }
  const outcomes = Array.from({ length: 20 }, (_, at) => put(`a/${at}`, 50_000))
  const fitted = outcomes.indexOf("full")
  assert.ok(fitted > 3 && fitted < 10)
  assert.deepStrictEqual(new Set(outcomes.slice(fitted)), new Set(["full"]))
  assert.equal(shard.getMany(["a/19"], now)[0], undefined)
  assert.equal(put("a/0", 60_000), "full")
  assert.equal(put("a/0", 40_000), "applied")
  assert.equal(put("a/1", undefined), "applied")
  assert.equal(put("a/2", undefined), "applied")
  assert.equal(put("a/19", 50_000), "applied")
  assert.equal(shard.getMany(["a/19"], now)[0]!.value.byteLength, 50_000)
}

export default {
  fetch: (request, env) => {
    const [, name = ""] = new URL(request.url).pathname.split("/")
    return env.SHARD.get(env.SHARD.idFromName(name)).fetch(request)
  }
} satisfies ExportedHandler<Env>
