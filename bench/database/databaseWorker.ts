import * as Effect from "effect/Effect"
import * as QueryCacheD1 from "../../src/layers/database/QueryCacheD1.ts"
import type { Counting } from "../../src/layers/database/TableVersionsBinding.ts"
import * as TableVersionsOff from "../../src/layers/database/TableVersionsOff.ts"
import * as FileCatalogD1 from "../../src/layers/files/FileCatalogD1.ts"
import * as FileSharesD1 from "../../src/layers/files/FileSharesD1.ts"
import * as FileUsageD1 from "../../src/layers/files/FileUsageD1.ts"
import * as LedgerMemory from "../../src/layers/ledger/LedgerMemory.ts"
import * as MemoryTierOff from "../../src/layers/tiers/MemoryTierOff.ts"
import * as MemoryTierTinyLfu from "../../src/layers/tiers/MemoryTierTinyLfu.ts"
import * as SingleFlightPromise from "../../src/layers/tiers/SingleFlightPromise.ts"
import { describeDatabase } from "../../src/programs/database/describeDatabase.ts"
import type { Advice, DatabaseDescription, RecordedStatement } from "../../src/services/database/IndexAdvisor.ts"
import { QueryCache } from "../../src/services/database/QueryCache.ts"

export { DatabaseDurableObject } from "../../src/entry/database/DatabaseDurableObject.ts"

interface Env {
  readonly DB: D1Database
  readonly DATABASE_DO: DurableObjectNamespace
}

interface Advising extends Counting {
  readonly advise: (
    database: DatabaseDescription,
    statements: ReadonlyArray<RecordedStatement>,
    days: number
  ) => Promise<ReadonlyArray<Advice>>
}

const quota = { maxBytes: 1e12, maxObjects: 1e6, maxRequests: 1e9 }

const queriesOf = (db: D1Database, cached: boolean) =>
  QueryCacheD1.make(
    db,
    cached ? MemoryTierTinyLfu.make(50_000_000) : MemoryTierOff.make(),
    SingleFlightPromise.make(),
    TableVersionsOff.make(),
    LedgerMemory.make(0)
  )

/** One operation of the file application by its name. `n` chooses an owner or a share, skewed to the low ones. */
const operate = (queries: QueryCache["Type"], name: string, n: number, now: number) => {
  const catalog = FileCatalogD1.make(queries)
  const owner = `owner${n % 50}`
  switch (name) {
    case "share":
      return FileSharesD1.make(queries).find(`share${n}`, now)
    case "list":
      return Effect.zipRight(
        catalog.linksOf(owner, 20),
        catalog.list(owner, { prefix: "dir1/", after: undefined, limit: 50 }, now)
      )
    case "usage":
      return FileUsageD1.make(queries).report(owner, quota, now)
    case "audit":
      return FileUsageD1.make(queries).audit(owner, 200)
    case "sweep":
      return Effect.zipRight(catalog.expired(now, 200), catalog.abandoned(now, 200))
    default: {
      const key = `new/${n}`
      const reservation = {
        id: crypto.randomUUID(),
        owner,
        key,
        kind: "put" as const,
        bytes: 10,
        contentType: "text/csv",
        uploadId: undefined,
        fileExpiresAt: undefined,
        createdAt: now,
        expiresAt: now + 60_000
      }
      const file = {
        key,
        bytes: 10,
        storedBytes: 5,
        contentType: "text/csv",
        etag: "e",
        updatedAt: now,
        expiresAt: undefined
      }
      return Effect.zipRight(catalog.reserve([reservation], quota, now), catalog.settle(reservation, file, now))
    }
  }
}

const routes: Readonly<Record<string, (env: Env, body: never) => Promise<unknown>>> = {
  exec: async (
    { DB },
    { bound = [], statements }: { statements: ReadonlyArray<string>; bound?: ReadonlyArray<string> }
  ) => {
    for (const sql of statements)
      await DB.prepare(sql)
        .bind(...bound)
        .run()
  },

  measure: async ({ DB }, { queries }: { queries: ReadonlyArray<string> }) => {
    const rows: Array<number> = []
    for (const sql of queries) rows.push((await DB.prepare(sql).all()).meta.rows_read)
    return rows
  },

  mix: async (
    { DB },
    { cached, operations }: { cached: boolean; operations: ReadonlyArray<readonly [name: string, n: number]> }
  ) => {
    const queries = queriesOf(DB, cached)
    const now = Date.now()
    for (const [name, n] of operations) await Effect.runPromise<unknown, unknown>(operate(queries, name, n, now))
    return queries.recorded().statements
  },

  advise: async ({ DATABASE_DO, DB }, { statements }: { statements: ReadonlyArray<RecordedStatement> }) => {
    const queries = queriesOf(DB, false)
    const database = await Effect.runPromise(Effect.provideService(describeDatabase, QueryCache, queries))
    const rowsRead = queries.recorded().statements.reduce((sum, one) => sum + one.rowsRead, 0)
    const object = DATABASE_DO.getByName("database") as unknown as Advising
    return { rowsRead, advice: await object.advise(database, statements, 1) }
  }
}

export default {
  fetch: async (request, env) => {
    const run = routes[new URL(request.url).pathname.slice(1)]
    if (run === undefined) return new Response(null, { status: 404 })
    return Response.json((await run(env, (await request.json()) as never)) ?? null)
  }
} satisfies ExportedHandler<Env>
