import { env } from "cloudflare:test"
import * as QueryCacheD1 from "../../../src/layers/database/QueryCacheD1.ts"
import * as TableVersionsOff from "../../../src/layers/database/TableVersionsOff.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as MemoryTierLru from "../../../src/layers/tiers/MemoryTierLru.ts"
import * as SingleFlightPromise from "../../../src/layers/tiers/SingleFlightPromise.ts"

const { DB } = env as unknown as { readonly DB: D1Database }

/** A database that other tests use, too: tables carry a prefix of the test's own. Counts what it is asked. */
export const scratch = async (statements: (prefix: string) => ReadonlyArray<string>) => {
  const prefix = `t${crypto.randomUUID().slice(0, 8)}`
  await DB.batch(statements(prefix).map((sql) => DB.prepare(sql)))
  const asked = { calls: 0 }
  const database: QueryCacheD1.Database = {
    prepare: (sql) => {
      const statement = DB.prepare(sql)
      const counted = (one: D1PreparedStatement): D1PreparedStatement =>
        new Proxy(one, {
          get: (target, name) => {
            if (name === "bind") return (...values: ReadonlyArray<unknown>) => counted(target.bind(...values))
            if (name === "all") asked.calls += 1
            const member = target[name as keyof D1PreparedStatement] as unknown
            return typeof member === "function" ? member.bind(target) : member
          }
        })
      return counted(statement)
    },
    batch: (all) => {
      asked.calls += 1
      return DB.batch(all)
    }
  }
  const ledger = LedgerMemory.make(0)
  const isolate = (versions = TableVersionsOff.make(), strictRows?: number) =>
    QueryCacheD1.make(
      database,
      MemoryTierLru.make(10_000_000),
      SingleFlightPromise.make(),
      versions,
      ledger,
      strictRows
    )
  return { prefix, database, isolate, asked, ledger }
}
