import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Miniflare } from "miniflare"
import type { Advice, RecordedStatement } from "../src/services/database/IndexAdvisor.ts"
import { usdOf } from "../src/services/database/model/DatabasePrices.ts"
import type { StatementStatistics } from "../src/services/database/QueryCache.ts"
import { statementsOf } from "../test/support/files/statements.ts"
import { bundle, moduleOf } from "../test/support/miniflare.ts"
import { queryOf, random, schemaSql } from "./database/joins.ts"

/**
 * Rows that D1 reads. The file application's queries on 100,000 rows: without its indexes, with them, and with the query
 * cache. The index advisor beside SQLite's own `.expert` on 30 joins, of one seed or of several:
 * `npm run bench -- database [--joins] [--seeds 1000,2000] [--all]` (wants the CLI `sqlite3`)
 */

const place = mkdtempSync(join(tmpdir(), "larder-database-"))
const script = await bundle(new URL("./database/databaseWorker.ts", import.meta.url))

const start = (database: string) =>
  new Miniflare({
    ...moduleOf(script),
    cf: false,
    d1Databases: { DB: database },
    d1Persist: join(place, database),
    durableObjects: { DATABASE_DO: { className: "DatabaseDurableObject", useSQLite: true } }
  })

const asking = async (runtime: Miniflare) => {
  const base = (await runtime.ready).origin
  return async <A>(path: string, body: unknown): Promise<A> => {
    const ask = () => fetch(`${base}/${path}`, { method: "POST", body: JSON.stringify(body) })
    // The connection may have ended while the CLI was run.
    const answer = await ask().catch(ask)
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return (await answer.json()) as A
  }
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((all, one) => all + one, 0)
const less = (before: number, after: number): string => `${(100 * (1 - after / before)).toFixed(2)} %`

const migration = ["0001_files", "0002_users"].flatMap((name) =>
  statementsOf(readFileSync(new URL(`../migrations/${name}.sql`, import.meta.url), "utf8"))
)

/** 100,000 rows: 50,000 files of 50 owners, and what belongs to them. */
const content = (now: number): ReadonlyArray<string> => {
  const rows = (count: number) =>
    `WITH RECURSIVE r(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r WHERE i < ${count - 1})`
  return [
    `${rows(50)} INSERT INTO owners (owner, bytes, objects) SELECT 'owner' || i, 1000, 1000 FROM r`,
    `${rows(50_000)} INSERT INTO files SELECT 'owner' || (i % 50), 'dir' || (i / 50 % 10) || '/' || i, 100, 50, 'text/csv', 'e', ${now}, iif(i % 100 = 0, ${now} - 1, NULL) FROM r`,
    `${rows(4950)} INSERT INTO uploads SELECT 'u' || i, 'owner' || (i % 50), 'k' || i, iif(i % 3, 'put', 'link'), 1, 't', NULL, NULL, NULL, ${now}, ${now} + 1000000 + i FROM r`,
    `${rows(10_000)} INSERT INTO shares SELECT 'share' || i, 'owner' || (i % 50), 'k' || i, ${now}, ${now} + 100000000 FROM r`,
    `${rows(30_000)} INSERT INTO audit (at, owner, action, key, bytes) SELECT ${now} - i, 'owner' || (i % 50), 'put', 'k', 1 FROM r`,
    `${rows(5000)} INSERT INTO usage SELECT 'owner' || (i % 50), 490000 + i / 50, 1, 1, 1 FROM r`
  ]
}

const shares: Readonly<Record<string, number>> = { share: 500, list: 250, usage: 100, put: 100, audit: 40, sweep: 10 }

const application = async (): Promise<void> => {
  const draw = random(14)
  const operations = Object.entries(shares)
    .flatMap(([name, count]) =>
      Array.from({ length: count }, () => [name, Math.floor((draw(1000) * draw(1000)) / 5000)] as const)
    )
    .map((operation) => ({ operation, at: draw(1_000_000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ operation }) => operation)
  const table: Array<Record<string, unknown>> = []
  let first: { readonly rowsRead: number; readonly usd: number } | undefined
  for (const [name, indexes, cached] of [
    ["without indexes", false, false],
    ["with indexes", true, false],
    ["with indexes and cache", true, true]
  ] as const) {
    const runtime = start(`files-${table.length}`)
    try {
      const ask = await asking(runtime)
      const schema = migration.filter((sql) => indexes || !/^CREATE INDEX/.test(sql))
      await ask("exec", { statements: [...schema, ...content(Date.now())] })
      const statements = await ask<ReadonlyArray<StatementStatistics>>("mix", { cached, operations })
      const rowsRead = sum(statements.map((one) => one.rowsRead))
      const rowsWritten = sum(statements.map((one) => one.rowsWritten))
      const usd = usdOf({ rowsRead, rowsWritten })
      first ??= { rowsRead, usd }
      table.push({
        queries: name,
        "rows read": rowsRead,
        fewer: less(first.rowsRead, rowsRead),
        "rows written": rowsWritten,
        "cache hits": sum(statements.map((one) => one.cacheHits)),
        "$ per million operations": Number((usd * 1000).toFixed(3))
      })
    } finally {
      await runtime.dispose()
    }
  }
  console.log(`\nThe file application's queries, 1,000 operations (${JSON.stringify(shares)}) on 100,000 rows`)
  console.table(table)
}

/** What `.expert` advises for each query, without duplicates. */
const expert = (file: string, queries: ReadonlyArray<string>): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const sql of queries) {
    const text = execFileSync("sqlite3", [file], { input: `.expert\n${sql};\n`, encoding: "utf8" })
    for (const [statement] of text.matchAll(/^CREATE INDEX .*?;$/gm)) found.add(statement)
  }
  return [...found]
}

/** Rows that 30 queries read without advice, with the advisor's and with SQLite's own. */
const compared = async (ask: Awaited<ReturnType<typeof asking>>, seed: number) => {
  const queries = Array.from({ length: 30 }, (_, i) => queryOf(seed + i))
  const measure = async () => ask<ReadonlyArray<number>>("measure", { queries })
  const before = await measure()
  const statements = queries.map(
    (sql, i): RecordedStatement => ({
      sql,
      callsPerDay: 10_000,
      rowsReadPerCall: before[i]!,
      rowsReturnedPerCall: 1,
      rowsWrittenPerCall: 0,
      writes: []
    })
  )
  const began = performance.now()
  const { advice, rowsRead } = await ask<{ rowsRead: number; advice: ReadonlyArray<Advice> }>("advise", { statements })
  const millis = performance.now() - began
  const directory = join(place, "joins", "miniflare-D1DatabaseObject")
  const file = join(directory, readdirSync(directory).find((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))!)
  const copy = join(place, `copy-${seed}.sqlite`)
  execFileSync("sqlite3", [file, `.backup ${copy}`])
  const theirs = expert(copy, queries)
  const ours = advice.filter(({ kind }) => kind === "create").map(({ statement }) => statement)
  const after: Array<ReadonlyArray<number>> = []
  for (const indexes of [ours, theirs]) {
    await ask("exec", { statements: [...indexes, "ANALYZE"] })
    after.push(await measure())
    const names = indexes.map((sql) => /CREATE INDEX (\S+)/.exec(sql)![1])
    await ask("exec", { statements: [...names.map((one) => `DROP INDEX ${one}`), "ANALYZE"] })
  }
  return { before, ours, theirs, after, rowsRead, millis }
}

const advisor = async (seeds: ReadonlyArray<number>): Promise<void> => {
  const runtime = start("joins")
  try {
    const ask = await asking(runtime)
    await ask("exec", { statements: [...schemaSql, "ANALYZE"] })
    console.log("\n30 joins of 3 to 10 tables on 142,350 rows, each run once, ANALYZE before and after")
    for (const seed of seeds) {
      const { after, before, millis, ours, rowsRead, theirs } = await compared(ask, seed)
      const row = (advice: string, indexes: number, rows: ReadonlyArray<number>) => ({
        seed,
        advice,
        indexes,
        "rows read": sum(rows),
        fewer: less(sum(before), sum(rows))
      })
      console.table([
        row("none", 0, before),
        row("IndexAdvisor", ours.length, after[0]!),
        row(".expert", theirs.length, after[1]!)
      ])
      console.log(`the advisor read ${rowsRead} rows of D1 and took ${millis.toFixed(0)} ms`)
      if (process.argv.includes("--all")) {
        console.log(ours.join("\n"))
        console.table(before.map((rows, i) => ({ before: rows, ours: after[0]![i], expert: after[1]![i] })))
      }
    }
  } finally {
    await runtime.dispose()
  }
}

const seedsAsked = process.argv.indexOf("--seeds")

try {
  if (!process.argv.includes("--joins")) await application()
  await advisor(seedsAsked === -1 ? [1000] : process.argv[seedsAsked + 1]!.split(",").map(Number))
} finally {
  rmSync(place, { recursive: true, force: true })
}
