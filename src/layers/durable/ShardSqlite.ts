import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Shard } from "../../services/durable/Shard.ts"
import { makeShard } from "./internal/shard/shardCore.ts"
import type { PagingOptions } from "./internal/shard/shardPages.ts"
import { makeSqlRows } from "./internal/shard/shardSql.ts"

/**
 * A shard in the SQLite of its Durable Object.
 *
 * @param transaction `ctx.storage.transactionSync`: all writes of the body or, if it throws, none
 * @param paging see shardPages.ts
 */
export const make = (
  sql: SqlStorage,
  transaction: <A>(body: () => A) => A,
  paging?: PagingOptions,
  maxBytes?: number
): Context.Tag.Service<Shard> => makeShard(makeSqlRows(sql, transaction, maxBytes), paging)

export const layer = (sql: SqlStorage, transaction: <A>(body: () => A) => A): Layer.Layer<Shard> =>
  Layer.sync(Shard, () => make(sql, transaction))
