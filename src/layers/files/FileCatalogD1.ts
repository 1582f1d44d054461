import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type Query, QueryCache, type Value } from "../../services/database/QueryCache.ts"
import {
  FileCatalog,
  FileCatalogError,
  type FileRow,
  type Quota,
  type Reservation,
  type ReservationKind
} from "../../services/files/FileCatalog.ts"
import { inCatalog } from "./internal/catalogErrors.ts"

interface FileColumns {
  readonly key: string
  readonly bytes: number
  readonly stored_bytes: number
  readonly content_type: string
  readonly etag: string
  readonly updated_at: number
  readonly expires_at: number | null
}

interface UploadColumns {
  readonly id: string
  readonly owner: string
  readonly key: string
  readonly kind: ReservationKind
  readonly bytes: number
  readonly content_type: string
  readonly upload_id: string | null
  readonly file_expires_at: number | null
  readonly created_at: number
  readonly expires_at: number
}

const fileOf = (row: FileColumns): FileRow => ({
  key: row.key,
  bytes: row.bytes,
  storedBytes: row.stored_bytes,
  contentType: row.content_type,
  etag: row.etag,
  updatedAt: row.updated_at,
  expiresAt: row.expires_at ?? undefined
})

const reservationOf = (row: UploadColumns): Reservation => ({
  id: row.id,
  owner: row.owner,
  key: row.key,
  kind: row.kind,
  bytes: row.bytes,
  contentType: row.content_type,
  uploadId: row.upload_id ?? undefined,
  fileExpiresAt: row.file_expires_at ?? undefined,
  createdAt: row.created_at,
  expiresAt: row.expires_at
})

/**
 * One statement checks the quota and reserves, so that D1's one writer decides between requests at once. ?1 the
 * reservations as JSON, ?2 the owner, ?3 now, ?4 and ?5 the quota. A quota of the owner's own goes before.
 */
const reserveSql = `
WITH wanted AS (
  SELECT value ->> 'id' AS id, value ->> 'key' AS key, value ->> 'kind' AS kind, value ->> 'bytes' AS bytes,
    value ->> 'contentType' AS content_type, value ->> 'uploadId' AS upload_id,
    value ->> 'fileExpiresAt' AS file_expires_at, value ->> 'expiresAt' AS expires_at
  FROM json_each(?1)
), held AS (
  SELECT coalesce(sum(bytes), 0) AS bytes, count(*) AS objects FROM uploads
  WHERE owner = ?2 AND expires_at > ?3 AND id NOT IN (SELECT id FROM wanted)
), replaced AS (
  SELECT coalesce(sum(bytes), 0) AS bytes, count(*) AS objects FROM files
  WHERE owner = ?2 AND key IN (SELECT key FROM wanted)
), own AS (
  SELECT coalesce(sum(bytes), 0) AS bytes, coalesce(sum(objects), 0) AS objects,
    coalesce(max(max_bytes), ?4) AS max_bytes, coalesce(max(max_objects), ?5) AS max_objects
  FROM owners WHERE owner = ?2
)
INSERT INTO uploads (id, owner, key, kind, bytes, content_type, upload_id, file_expires_at, created_at, expires_at)
SELECT wanted.id, ?2, wanted.key, wanted.kind, wanted.bytes, wanted.content_type, wanted.upload_id,
  wanted.file_expires_at, ?3, wanted.expires_at
FROM wanted, held, replaced, own
WHERE own.bytes + held.bytes - replaced.bytes + (SELECT sum(bytes) FROM wanted) <= own.max_bytes
  AND own.objects + held.objects - replaced.objects + (SELECT count(DISTINCT key) FROM wanted) <= own.max_objects
ON CONFLICT (id) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`

const bytesLeftSql = `
SELECT coalesce((SELECT max_bytes FROM owners WHERE owner = ?1), ?2)
  - coalesce((SELECT bytes FROM owners WHERE owner = ?1), 0)
  - coalesce((SELECT sum(bytes) FROM uploads WHERE owner = ?1 AND expires_at > ?3), 0) AS bytes_left`

/** Whether a later file already lies under the key: then this one changes no count. ?1 owner, ?2 key, ?3 its time. */
const isOvertaken = "EXISTS (SELECT 1 FROM files WHERE owner = ?1 AND key = ?2 AND updated_at > ?3)"

const countSql = `
INSERT INTO owners (owner, bytes, stored_bytes, objects) VALUES (?1, ?4, ?5, 1)
ON CONFLICT (owner) DO UPDATE SET
  stored_bytes = stored_bytes + CASE WHEN ${isOvertaken} THEN 0
    ELSE ?5 - coalesce((SELECT stored_bytes FROM files WHERE owner = ?1 AND key = ?2), 0) END,
  bytes = bytes + CASE WHEN ${isOvertaken} THEN 0
    ELSE ?4 - coalesce((SELECT bytes FROM files WHERE owner = ?1 AND key = ?2), 0) END,
  objects = objects + CASE WHEN ${isOvertaken} THEN 0
    ELSE 1 - (SELECT count(*) FROM files WHERE owner = ?1 AND key = ?2) END`

const fileSql = `
INSERT INTO files (owner, key, bytes, stored_bytes, content_type, etag, updated_at, expires_at)
VALUES (?1, ?2, ?4, ?5, ?6, ?7, ?3, ?8)
ON CONFLICT (owner, key) DO UPDATE SET bytes = excluded.bytes, stored_bytes = excluded.stored_bytes,
  content_type = excluded.content_type, etag = excluded.etag, updated_at = excluded.updated_at,
  expires_at = excluded.expires_at
WHERE excluded.updated_at >= files.updated_at`

export const auditSql = "INSERT INTO audit (at, owner, action, key, bytes) VALUES (?, ?, ?, ?, ?)"

export const make = (queries: Context.Tag.Service<QueryCache>): Context.Tag.Service<FileCatalog> => {
  const rows = <R, A>(operation: string, sql: string, bound: ReadonlyArray<Value>, read: (row: R) => A) =>
    inCatalog(
      operation,
      Effect.map(queries.read<R>({ sql, bound }), (result) => result.rows.map(read))
    )
  const run = (operation: string, ...all: ReadonlyArray<Query>) => inCatalog(operation, queries.write(all))

  const bytesLeft = (owner: string, quota: Quota, now: number) =>
    Effect.map(
      rows("bytesLeft", bytesLeftSql, [owner, quota.maxBytes, now], (row: { readonly bytes_left: number }) => row),
      ([row]) => row?.bytes_left ?? 0
    )

  return {
    bytesLeft,

    reserve: (reservations, quota, now) =>
      Effect.gen(function* () {
        if (reservations.length === 0) return
        const { owner } = reservations[0]!
        const bound = [JSON.stringify(reservations), owner, now, quota.maxBytes, quota.maxObjects]
        const [reserved] = yield* run("reserve", { sql: reserveSql, bound })
        if (reserved!.changes > 0) return
        const wanted = reservations.reduce((sum, { bytes }) => sum + bytes, 0)
        const left = yield* bytesLeft(owner, quota, now)
        const reason = left < wanted ? "OverBytes" : "OverObjects"
        return yield* new FileCatalogError({ operation: "reserve", reason })
      }),

    settle: ({ id, kind, owner }, file, now) => {
      const { bytes, contentType, etag, expiresAt, key, storedBytes, updatedAt } = file
      return Effect.map(
        run(
          "settle",
          { sql: "SELECT 1 FROM files WHERE owner = ? AND key = ?", bound: [owner, key] },
          { sql: countSql, bound: [owner, key, updatedAt, bytes, storedBytes] },
          { sql: fileSql, bound: [owner, key, updatedAt, bytes, storedBytes, contentType, etag, expiresAt ?? null] },
          // A link can be used again until it expires: what it may put stays reserved.
          { sql: "UPDATE uploads SET etag = ? WHERE id = ?", bound: [etag, id] },
          { sql: "DELETE FROM uploads WHERE id = ? AND (kind <> 'link' OR expires_at <= ?)", bound: [id, now] },
          ...(kind === "parts" ? [dropParts(id)] : []),
          { sql: auditSql, bound: [now, owner, kind, key, bytes] }
        ),
        ([known]) => known!.rows.length > 0
      )
    },

    release: (id) =>
      Effect.asVoid(run("release", { sql: "DELETE FROM uploads WHERE id = ?", bound: [id] }, dropParts(id))),

    reservation: (owner, id) =>
      Effect.map(
        rows("reservation", "SELECT * FROM uploads WHERE id = ? AND owner = ?", [id, owner], reservationOf),
        ([found]) => Option.fromNullable(found)
      ),

    setUploadId: (id, uploadId) =>
      Effect.asVoid(
        run("setUploadId", { sql: "UPDATE uploads SET upload_id = ? WHERE id = ?", bound: [uploadId, id] })
      ),

    linksOf: (owner, limit) =>
      rows(
        "linksOf",
        "SELECT * FROM uploads WHERE owner = ? AND kind = 'link' AND etag IS NULL ORDER BY expires_at DESC LIMIT ?",
        [owner, limit],
        reservationOf
      ),

    parts: (id) =>
      rows(
        "parts",
        "SELECT part, bytes, etag FROM upload_parts WHERE upload = ? ORDER BY part",
        [id],
        (part: { readonly part: number; readonly bytes: number; readonly etag: string }) => part
      ),

    setPart: (id, { bytes, etag, part }) =>
      Effect.asVoid(
        run("setPart", {
          sql: "INSERT OR REPLACE INTO upload_parts (upload, part, bytes, etag) VALUES (?, ?, ?, ?)",
          bound: [id, part, bytes, etag]
        })
      ),

    remove: (owner, key, action, now) =>
      Effect.asVoid(
        run(
          "remove",
          {
            sql: `INSERT INTO audit (at, owner, action, key, bytes)
            SELECT ?3, owner, ?4, key, bytes FROM files WHERE owner = ?1 AND key = ?2`,
            bound: [owner, key, now, action]
          },
          {
            sql: `UPDATE owners SET bytes = bytes - (SELECT bytes FROM files WHERE owner = ?1 AND key = ?2),
            stored_bytes = stored_bytes - (SELECT stored_bytes FROM files WHERE owner = ?1 AND key = ?2),
            objects = objects - 1 WHERE owner = ?1 AND EXISTS (SELECT 1 FROM files WHERE owner = ?1 AND key = ?2)`,
            bound: [owner, key]
          },
          { sql: "DELETE FROM files WHERE owner = ? AND key = ?", bound: [owner, key] }
        )
      ),

    list: (owner, { after, limit, prefix }, now) =>
      rows(
        "list",
        `SELECT * FROM files WHERE owner = ?1 AND key > ?2 AND key >= ?3 AND (?4 IS NULL OR key < ?4)
        AND (expires_at IS NULL OR expires_at > ?5) ORDER BY key LIMIT ?6`,
        [owner, after ?? "", prefix, prefix === "" ? null : `${prefix}\u{10ffff}`, now, limit],
        fileOf
      ),

    expired: (now, limit) =>
      rows(
        "expired",
        "SELECT owner, key FROM files WHERE expires_at <= ? ORDER BY expires_at LIMIT ?",
        [now, limit],
        (row: { readonly owner: string; readonly key: string }) => row
      ),

    abandoned: (now, limit) =>
      rows(
        "abandoned",
        "SELECT * FROM uploads WHERE expires_at <= ? ORDER BY expires_at LIMIT ?",
        [now, limit],
        reservationOf
      )
  }
}

export const layer: Layer.Layer<FileCatalog, never, QueryCache> = Layer.effect(
  FileCatalog,
  Effect.map(QueryCache, make)
)

// internal

const dropParts = (id: string): Query => ({ sql: "DELETE FROM upload_parts WHERE upload = ?", bound: [id] })
