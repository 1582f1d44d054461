import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Freshness, QueryCache } from "../../services/database/QueryCache.ts"
import { type FileUser, FileUsers, knownMillis } from "../../services/files/FileUsers.ts"
import { inCatalog } from "./internal/catalogErrors.ts"

interface Columns {
  readonly id: string
  readonly owner: string
  readonly name: string | null
  readonly created_at: number
}

const userOf = (row: Columns): FileUser => ({
  id: row.id,
  owner: row.owner,
  name: row.name ?? undefined,
  createdAt: row.created_at
})

/** Asked with every request of a key. */
const known: Freshness = { kind: "isolate", ttl: knownMillis }

/** ?1 id, ?2 owner, ?3 name, ?4 now. */
const addSql = `
INSERT INTO users (id, owner, name, created_at) SELECT ?1, ?2, ?3, ?4
WHERE ?1 <> ?2 AND NOT EXISTS (SELECT 1 FROM files WHERE owner = ?1)
  AND NOT EXISTS (SELECT 1 FROM uploads WHERE owner = ?1 AND expires_at > ?4)
ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE users.owner = excluded.owner`

export const make = (queries: Context.Tag.Service<QueryCache>): Context.Tag.Service<FileUsers> => ({
  ownerOf: (id) =>
    inCatalog(
      "ownerOf",
      Effect.map(
        queries.read<Pick<Columns, "owner">>({ sql: "SELECT owner FROM users WHERE id = ?", bound: [id] }, known),
        ({ rows }) => rows[0]?.owner ?? id
      )
    ),

  add: ({ createdAt, id, name, owner }) =>
    inCatalog(
      "addUser",
      Effect.map(
        queries.write([{ sql: addSql, bound: [id, owner, name ?? null, createdAt] }]),
        ([done]) => done!.changes > 0
      )
    ),

  list: (owner) =>
    inCatalog(
      "listUsers",
      Effect.map(
        queries.read<Columns>({
          sql: "SELECT * FROM users WHERE owner = ? ORDER BY created_at LIMIT 1000",
          bound: [owner]
        }),
        ({ rows }) => rows.map(userOf)
      )
    ),

  remove: (owner, id) =>
    inCatalog(
      "removeUser",
      Effect.map(
        queries.write([{ sql: "DELETE FROM users WHERE id = ? AND owner = ?", bound: [id, owner] }]),
        ([done]) => done!.changes > 0
      )
    )
})

export const layer: Layer.Layer<FileUsers, never, QueryCache> = Layer.effect(FileUsers, Effect.map(QueryCache, make))
