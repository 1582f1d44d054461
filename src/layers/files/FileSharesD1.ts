import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type Freshness, QueryCache } from "../../services/database/QueryCache.ts"
import { FileShares, type Share } from "../../services/files/FileShares.ts"
import { auditSql } from "./FileCatalogD1.ts"
import { inCatalog } from "./internal/catalogErrors.ts"

interface Columns {
  readonly id: string
  readonly owner: string
  readonly key: string
  readonly created_at: number
  readonly expires_at: number
}

const shareOf = (row: Columns): Share => ({
  id: row.id,
  owner: row.owner,
  key: row.key,
  createdAt: row.created_at,
  expiresAt: row.expires_at
})

/** A link is followed often. One that another isolate withdrew is followed so long. */
const found: Freshness = { kind: "isolate", ttl: 30_000 }

export const make = (queries: Context.Tag.Service<QueryCache>): Context.Tag.Service<FileShares> => ({
  create: ({ createdAt, expiresAt, id, key, owner }) =>
    inCatalog(
      "share",
      Effect.asVoid(
        queries.write([
          {
            sql: "INSERT INTO shares (id, owner, key, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
            bound: [id, owner, key, createdAt, expiresAt]
          },
          { sql: auditSql, bound: [createdAt, owner, "share", key, null] }
        ])
      )
    ),

  find: (id, now) =>
    inCatalog(
      "findShare",
      Effect.map(queries.read<Columns>({ sql: "SELECT * FROM shares WHERE id = ?", bound: [id] }, found), ({ rows }) =>
        Option.filter(Option.map(Option.fromNullable(rows[0]), shareOf), ({ expiresAt }) => expiresAt > now)
      )
    ),

  list: (owner, now) =>
    inCatalog(
      "listShares",
      Effect.map(
        queries.read<Columns>({
          sql: "SELECT * FROM shares WHERE owner = ? AND expires_at > ? ORDER BY created_at DESC LIMIT 1000",
          bound: [owner, now]
        }),
        ({ rows }) => rows.map(shareOf)
      )
    ),

  withdraw: (owner, id) =>
    inCatalog(
      "withdraw",
      Effect.map(
        queries.write([{ sql: "DELETE FROM shares WHERE id = ? AND owner = ?", bound: [id, owner] }]),
        ([done]) => done!.changes > 0
      )
    ),

  dropExpired: (now) =>
    inCatalog(
      "dropShares",
      Effect.asVoid(queries.write([{ sql: "DELETE FROM shares WHERE expires_at <= ?", bound: [now] }]))
    )
})

export const layer: Layer.Layer<FileShares, never, QueryCache> = Layer.effect(FileShares, Effect.map(QueryCache, make))
