import * as QueryCacheD1 from "../../layers/database/QueryCacheD1.ts"
import type { Counting } from "../../layers/database/TableVersionsBinding.ts"
import * as TableVersionsBinding from "../../layers/database/TableVersionsBinding.ts"
import * as TableVersionsOff from "../../layers/database/TableVersionsOff.ts"
import * as LedgerMemory from "../../layers/ledger/LedgerMemory.ts"
import * as MemoryTierTinyLfu from "../../layers/tiers/MemoryTierTinyLfu.ts"
import * as SingleFlightPromise from "../../layers/tiers/SingleFlightPromise.ts"
import type { Freshness, Query, QueryResult, Recorded, Value } from "../../services/database/QueryCache.ts"
import * as Objects from "../database/DatabaseDurableObject.ts"
import { rejecting } from "./rejecting.ts"

export type { Freshness, Query, QueryResult, Recorded, Value }

/** Counts writes for `strict` answers: to be exported by the Worker, bound, and named under `new_sqlite_classes`. */
export const DatabaseDurableObject: new (context: DurableObjectState, env: unknown) => Rpc.DurableObjectBranded =
  Objects.DatabaseDurableObject

export interface QueryCacheOptions {
  /** Memory for answers. Default 10,000,000 bytes. */
  readonly memoryBytes?: number
  /** Objects of the class {@link DatabaseDurableObject}; without them, `strict` answers are asked for each time. */
  readonly objects?: DurableObjectNamespace
}

/** A D1 database whose answers are kept by the tables that SQLite itself says they come from. */
export interface CachedDatabase {
  /** Runs a statement that only reads. How old its answer may be: asked anew each time without `freshness`. */
  readonly read: <R = Record<string, unknown>>(query: Query, freshness?: Freshness) => Promise<QueryResult<R>>
  /** Runs statements in one transaction, and ends what this isolate holds of the tables that they write. */
  readonly write: (queries: ReadonlyArray<Query>) => Promise<ReadonlyArray<QueryResult>>
  /** What each statement cost and saved, since it was made. */
  readonly statements: () => Recorded
}

const made = new WeakMap<D1Database, CachedDatabase>()

/**
 * One for each binding and isolate: the first call decides on the options.
 *
 * @example
 * const { rows } = await queryCache(env.DB).read({ sql: "SELECT * FROM users" }, { kind: "isolate", ttl: 30_000 })
 */
export const queryCache = (database: D1Database, options: QueryCacheOptions = {}): CachedDatabase => {
  const known = made.get(database)
  if (known !== undefined) return known
  const { memoryBytes = 10_000_000, objects } = options
  const cache = QueryCacheD1.make(
    database,
    MemoryTierTinyLfu.make(memoryBytes, crypto.getRandomValues(new Uint32Array(1))[0]),
    SingleFlightPromise.make(),
    objects === undefined
      ? TableVersionsOff.make()
      : TableVersionsBinding.make(() => objects.getByName("database") as unknown as Counting),
    LedgerMemory.make(Date.now())
  )
  const promised: CachedDatabase = {
    read: (query, freshness) => rejecting(cache.read(query, freshness)) as Promise<never>,
    write: (queries) => rejecting(cache.write(queries)),
    statements: cache.recorded
  }
  made.set(database, promised)
  return promised
}
