import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { FileShares, type Share } from "../../services/files/FileShares.ts"
import { auditSql } from "./FileCatalogD1.ts"
import { asking, type Database } from "./internal/d1.ts"

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

export const make = (database: Database | undefined): Context.Tag.Service<FileShares> => ({
  create: ({ createdAt, expiresAt, id, key, owner }) =>
    asking(database, "share", async (db) => {
      await db.batch([
        db
          .prepare("INSERT INTO shares (id, owner, key, created_at, expires_at) VALUES (?, ?, ?, ?, ?)")
          .bind(id, owner, key, createdAt, expiresAt),
        db.prepare(auditSql).bind(createdAt, owner, "share", key, null)
      ])
    }),

  find: (id, now) =>
    asking(database, "findShare", async (db) => {
      const row = await db
        .prepare("SELECT * FROM shares WHERE id = ? AND expires_at > ?")
        .bind(id, now)
        .first<Columns>()
      return Option.map(Option.fromNullable(row), shareOf)
    }),

  list: (owner, now) =>
    asking(database, "listShares", async (db) => {
      const { results } = await db
        .prepare("SELECT * FROM shares WHERE owner = ? AND expires_at > ? ORDER BY created_at DESC LIMIT 1000")
        .bind(owner, now)
        .all<Columns>()
      return results.map(shareOf)
    }),

  withdraw: (owner, id) =>
    asking(database, "withdraw", async (db) => {
      const { meta } = await db.prepare("DELETE FROM shares WHERE id = ? AND owner = ?").bind(id, owner).run()
      return meta.changes > 0
    }),

  dropExpired: (now) =>
    asking(database, "dropShares", async (db) => {
      await db.prepare("DELETE FROM shares WHERE expires_at <= ?").bind(now).run()
    })
})

export const layer = (database: Database | undefined): Layer.Layer<FileShares> =>
  Layer.sync(FileShares, () => make(database))
