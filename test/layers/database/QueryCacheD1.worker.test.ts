import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import type { Database } from "../../../src/layers/database/QueryCacheD1.ts"
import { accessOf, type Instruction, type SchemaRow } from "../../../src/services/database/model/Bytecode.ts"
import type { Freshness } from "../../../src/services/database/QueryCache.ts"
import { scratch } from "../../support/database/scratch.ts"

const minute: Freshness = { kind: "isolate", ttl: 60_000 }

const schema = (t: string): ReadonlyArray<string> => [
  `CREATE TABLE ${t}_a (id INTEGER PRIMARY KEY, n INTEGER)`,
  `CREATE TABLE ${t}_b (id TEXT PRIMARY KEY, a INTEGER REFERENCES ${t}_a (id) ON DELETE CASCADE) WITHOUT ROWID`,
  `CREATE TABLE ${t}_log (at INTEGER)`,
  `CREATE INDEX ${t}_by_n ON ${t}_a (n)`,
  `CREATE VIEW ${t}_view AS SELECT n FROM ${t}_a JOIN ${t}_b ON a = ${t}_a.id`,
  `CREATE TRIGGER ${t}_trigger AFTER UPDATE ON ${t}_b BEGIN INSERT INTO ${t}_log VALUES (1); END`,
  `INSERT INTO ${t}_a VALUES (1, 10), (2, 20)`,
  `INSERT INTO ${t}_b VALUES ('x', 1)`
]

const accessIn = async (database: Database, sql: string) => {
  const program = await database.prepare(`EXPLAIN ${sql}`).all<Instruction>()
  const rows = await database.prepare("SELECT type, tbl_name, rootpage FROM sqlite_schema").all<SchemaRow>()
  return accessOf(program.results, rows.results)
}

describe("the tables that bytecode names", () => {
  it("are those read and written, through views, triggers, cascades and indexes", async () => {
    const { database, prefix: t } = await scratch(schema)
    const named = (tables: ReadonlySet<string> | "all") =>
      tables === "all" ? tables : [...tables].map((name) => name.replace(`${t}_`, "")).sort()
    const cases: ReadonlyArray<readonly [sql: string, reads: unknown, writes: unknown]> = [
      [`SELECT n FROM ${t}_a WHERE n = 3`, ["a"], []],
      [`SELECT * FROM ${t}_view`, ["a", "b"], []],
      [`WITH w AS (SELECT * FROM ${t}_b) SELECT count(*) FROM w`, ["b"], []],
      [`SELECT (SELECT max(at) FROM ${t}_log), value FROM json_each('[1]')`, ["log"], []],
      ["SELECT 1", [], []],
      [`UPDATE ${t}_b SET a = 2`, undefined, ["b", "log"]],
      [`DELETE FROM ${t}_log`, undefined, ["log"]],
      [`DELETE FROM ${t}_a WHERE id = 1`, undefined, ["a", "b"]],
      [`INSERT INTO ${t}_log SELECT n FROM ${t}_a`, ["a"], ["log"]],
      [`CREATE TABLE ${t}_c (x)`, undefined, "all"],
      [`DROP TABLE ${t}_log`, undefined, "all"],
      [`ALTER TABLE ${t}_log ADD COLUMN more`, undefined, "all"]
    ]
    for (const [sql, reads, writes] of cases) {
      const access = await accessIn(database, sql)
      if (reads !== undefined) expect(named(access.reads), sql).toStrictEqual(reads)
      expect(named(access.writes), sql).toStrictEqual(writes)
    }
  })

  it("tells what may answer otherwise next time", async () => {
    const { database, prefix: t } = await scratch(schema)
    for (const sql of ["random()", "datetime('now')", "CURRENT_TIMESTAMP", "strftime('%s')", "hex(randomblob(2))"]) {
      expect((await accessIn(database, `SELECT ${sql} FROM ${t}_a`)).deterministic, sql).toBe(false)
    }
    expect((await accessIn(database, `SELECT upper(n), abs(n) FROM ${t}_a`)).deterministic).toBe(true)
  })

  it("are all of them where the format is not the one that is known", () => {
    expect(accessOf([], []).writes).toBe("all")
    expect(accessOf([{ opcode: "Start" } as never], []).reads).toBe("all")
    const open = { opcode: "OpenRead", p1: 0, p2: 77, p3: 0, p4: null }
    expect(accessOf([{ ...open, opcode: "Init" }, open], []).reads).toBe("all")
  })
})

describe("QueryCacheD1", () => {
  it("asks again what was written to, in a batch too, and nothing else", async () => {
    const { asked, isolate, prefix: t } = await scratch(schema)
    const queries = isolate()
    const sum = { sql: `SELECT sum(n) AS n FROM ${t}_a WHERE id > ?`, bound: [0] }
    const log = { sql: `SELECT count(*) AS n FROM ${t}_log` }
    const read = async (query: typeof log) => (await Effect.runPromise(queries.read(query, minute))).rows[0]!.n
    const write = (...all: ReadonlyArray<string>) => Effect.runPromise(queries.write(all.map((sql) => ({ sql }))))
    expect([await read(sum), await read(log)]).toStrictEqual([30, 0])
    expect([await read(sum), await read(log), asked.calls]).toStrictEqual([30, 0, 2])
    await write(`UPDATE ${t}_a SET n = 11 WHERE id = 1`)
    expect([await read(sum), await read(log), asked.calls]).toStrictEqual([31, 0, 4])
    await write(`UPDATE ${t}_b SET a = 2`, `INSERT INTO ${t}_a VALUES (3, 1)`)
    expect([await read(sum), await read(log), asked.calls]).toStrictEqual([32, 1, 7])
    await expect(write(`INSERT INTO ${t}_a VALUES (4, 1)`, `INSERT INTO ${t}_a VALUES (1, 1)`)).rejects.toThrow()
    expect(await read(sum)).toBe(32)
  })

  it("keeps each binding by itself, for its time and no longer, and no answer of a statement that may differ", async () => {
    const { asked, isolate, prefix: t } = await scratch(schema)
    const queries = isolate()
    const one = (id: unknown, freshness: Freshness = minute) =>
      Effect.runPromise(queries.read({ sql: `SELECT n FROM ${t}_a WHERE id = ?`, bound: [id as never] }, freshness))
    expect((await one(1)).rows).toStrictEqual([{ n: 10 }])
    expect((await one(2)).rows).toStrictEqual([{ n: 20 }])
    expect((await one(1)).rows).toStrictEqual([{ n: 10 }])
    expect(asked.calls).toBe(2)
    await one(1, { kind: "none" })
    await one(1, { kind: "isolate", ttl: 0 })
    expect(asked.calls).toBe(4)
    const random = { sql: `SELECT random() AS n FROM ${t}_a` }
    await Effect.runPromise(queries.read(random, minute))
    await Effect.runPromise(queries.read(random, minute))
    expect(asked.calls).toBe(6)
  })

  it("joins queries at once, but none with one from before a write; what a write overtook is not kept", async () => {
    const { asked, isolate, prefix: t } = await scratch(schema)
    const queries = isolate()
    const sum = () => Effect.runPromise(queries.read({ sql: `SELECT sum(n) AS n FROM ${t}_a` }, minute))
    await Promise.all([sum(), sum(), sum()])
    expect(asked.calls).toBe(1)
    const insert = (id: number) =>
      Effect.runPromise(queries.write([{ sql: `INSERT INTO ${t}_a VALUES (?, 1)`, bound: [id] }]))
    for (let id = 3; id < 23; id++) {
      const overtaken = sum()
      await insert(id)
      expect((await sum()).rows[0]!.n).toBe(28 + id)
      await overtaken
      expect((await sum()).rows[0]!.n).toBe(28 + id)
    }
  })

  it("nobody changes what another is given", async () => {
    const { isolate, prefix: t } = await scratch(schema)
    const queries = isolate()
    const all = () => Effect.runPromise(queries.read({ sql: `SELECT * FROM ${t}_b` }, minute))
    for (let i = 0; i < 3; i++) {
      const { rows } = await all()
      expect(rows).toStrictEqual([{ id: "x", a: 1 }])
      rows[0]!.a = 99
    }
  })

  it("nor those who ask at once, in whatever order they go on, nor numbers of a blob", async () => {
    const { isolate, prefix: t } = await scratch((t) => [
      `CREATE TABLE ${t} (id TEXT, bytes BLOB)`,
      `INSERT INTO ${t} VALUES ('x', x'0102'), ('y', NULL)`
    ])
    const queries = isolate()
    const expected = [
      { id: "x", bytes: [1, 2] },
      { id: "y", bytes: null }
    ]
    const all = async () => {
      const { rows } = await Effect.runPromise(queries.read({ sql: `SELECT * FROM ${t}` }, minute))
      const seen = structuredClone(rows)
      for (const row of rows) Object.assign(row, { id: "spoilt", more: 1 })
      ;(rows[0]!.bytes as Array<number>).fill(9)
      ;(rows as Array<unknown>).length = 0
      return seen
    }
    for (let time = 0; time < 3; time++) {
      expect(await Promise.all([all(), all(), all()])).toStrictEqual([expected, expected, expected])
    }
  })

  it("counts calls, hits, rows, by statement and not by its literals, and bills the rows", async () => {
    const { isolate, ledger, prefix: t } = await scratch(schema)
    const queries = isolate()
    const read = (sql: string) => Effect.runPromise(queries.read({ sql }, minute))
    await read(`SELECT n FROM ${t}_a WHERE n > 5`)
    await read(`SELECT n FROM ${t}_a WHERE n > 5`)
    await read(`SELECT n FROM ${t}_a\nWHERE n > 15`)
    await Effect.runPromise(queries.write([{ sql: `INSERT INTO ${t}_log VALUES (5)` }]))
    const [first, second] = queries.recorded().statements
    expect(first).toMatchObject({
      sql: `SELECT n FROM ${t}_a WHERE n > ?`,
      calls: 3,
      cacheHits: 1,
      rowsRead: 3,
      rowsReturned: 5,
      rowsSaved: 2
    })
    expect(second).toMatchObject({ sql: `INSERT INTO ${t}_log VALUES (?)`, calls: 1, rowsWritten: 1 })
    expect(ledger.report().total.other).toStrictEqual({ d1RowsRead: 3, d1RowsWritten: 1 })
  })
})
