import { maxShardBytes, type ShardRow } from "../../../../services/durable/Shard.ts"
import { compareUtf8 } from "../../../../services/kv/model/KvPaging.ts"
import type { Stamp } from "../../../../services/store/model/Entry.ts"
import type { PageHead, RowHead, ShardRows, ShardState } from "./shardRows.ts"
import { partBytes, partsOf } from "./shardValue.ts"

/**
 * One row per id, the value last, so that reading a head leaves its pages alone. WITHOUT ROWID and no index beside the
 * key: each would be one more row billed per write.
 */
const schema = [
  `CREATE TABLE IF NOT EXISTS entries (
    id TEXT PRIMARY KEY, wall INTEGER NOT NULL, counter INTEGER NOT NULL, writer TEXT NOT NULL, ahead TEXT,
    deleted_at REAL NOT NULL, expires_at REAL, content_type TEXT, tags TEXT, load_millis REAL,
    bytes INTEGER NOT NULL, since INTEGER NOT NULL DEFAULT 0, value BLOB
  ) WITHOUT ROWID`,
  "CREATE TABLE IF NOT EXISTS parts (id TEXT, part INTEGER, value BLOB, PRIMARY KEY (id, part)) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS marks (
    tag TEXT PRIMARY KEY, wall INTEGER NOT NULL, counter INTEGER NOT NULL, writer TEXT NOT NULL,
    since INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS pages (
    first TEXT PRIMARY KEY, since INTEGER NOT NULL, entries INTEGER NOT NULL, tombstones INTEGER NOT NULL,
    bytes INTEGER NOT NULL, value BLOB NOT NULL
  ) WITHOUT ROWID`,
  "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
]

const head = "id, wall, counter, writer, ahead, bytes, since, deleted_at, expires_at, content_type, tags, load_millis"

type HeadColumns = {
  readonly id: string
  readonly wall: number
  readonly counter: number
  readonly writer: string
  readonly ahead: string | null
  readonly bytes: number
  readonly since: number
  readonly deleted_at: number
  /** Null for a tombstone; `Infinity` for never. */
  readonly expires_at: number | null
  readonly content_type: string | null
  readonly tags: string | null
  readonly load_millis: number | null
}

type RowColumns = HeadColumns & { readonly value: ArrayBuffer | null }

/** Rows in the SQLite of a Durable Object, billed by its own cursors. */
export const makeSqlRows = (
  sql: SqlStorage,
  transaction: <A>(body: () => A) => A,
  maxBytes = maxShardBytes
): ShardRows => {
  let rowsRead = 0
  let rowsWritten = 0

  const run = <Row extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: ReadonlyArray<SqlStorageValue>
  ): Array<Row> => {
    const cursor = sql.exec<Row>(query, ...bindings)
    const rows = cursor.toArray()
    rowsRead += cursor.rowsRead
    rowsWritten += cursor.rowsWritten
    return rows
  }

  for (const table of schema) run(table)
  // Tables made before that column was.
  for (const table of ["entries", "marks"]) {
    const columns = run<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`)
    if (columns.some(({ name }) => name === "since")) continue
    run(`ALTER TABLE ${table} ADD COLUMN since INTEGER NOT NULL DEFAULT 0`)
  }

  const partsAfterFirst = (id: string, bytes: number, first: ArrayBuffer): Uint8Array => {
    const value = new Uint8Array(bytes)
    value.set(new Uint8Array(first))
    for (let part = 1; part < partsOf(bytes); part++) {
      const [row] = run<{ value: ArrayBuffer }>("SELECT value FROM parts WHERE id = ? AND part = ?", id, part)
      value.set(new Uint8Array(row!.value), part * partBytes)
    }
    return value
  }

  const rowOf = (columns: RowColumns): ShardRow => {
    const { body, bytes, since: _, ...rest } = headOf(columns)
    const first = columns.value!
    return {
      ...rest,
      body: body && {
        ...body,
        value: partsOf(bytes) === 1 ? new Uint8Array(first) : partsAfterFirst(rest.id, bytes, first)
      }
    }
  }

  const dropParts = (id: string, from: number, to: number): void => {
    for (let part = from; part < to; part++) run("DELETE FROM parts WHERE id = ? AND part = ?", id, part)
  }

  return {
    transaction,
    // Without the pages that deletes have left free (workerd, api/sql.c++).
    isFull: () => sql.databaseSize >= maxBytes,
    head: (id) => run<HeadColumns>(`SELECT ${head} FROM entries WHERE id = ?`, id).map(headOf)[0],
    read: (id) => run<RowColumns>(`SELECT ${head}, value FROM entries WHERE id = ?`, id).map(rowOf)[0],
    write: ({ ahead, body, deletedAt, id, version }, before, since) => {
      const value = body?.value
      const parts = partsOf(value?.byteLength ?? 0)
      run(
        `INSERT INTO entries (${head}, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET wall = excluded.wall, counter = excluded.counter, writer = excluded.writer,
          ahead = excluded.ahead, deleted_at = excluded.deleted_at, expires_at = excluded.expires_at,
          content_type = excluded.content_type, tags = excluded.tags, load_millis = excluded.load_millis,
          bytes = excluded.bytes, since = excluded.since, value = excluded.value`,
        id,
        version.wall,
        version.counter,
        version.writer,
        ahead.length === 0 ? null : JSON.stringify(ahead),
        value?.byteLength ?? 0,
        since,
        deletedAt,
        body?.expiresAt ?? null,
        body?.contentType ?? null,
        body === undefined || body.tags.length === 0 ? null : JSON.stringify(body.tags),
        body?.loadMillis ?? null,
        value === undefined ? null : bufferOf(value.subarray(0, partBytes))
      )
      for (let part = 1; part < parts; part++) {
        run(
          "INSERT INTO parts (id, part, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
          id,
          part,
          bufferOf(value!.subarray(part * partBytes, (part + 1) * partBytes))
        )
      }
      dropParts(id, parts, partsOf(before?.bytes ?? 0))
    },
    remove: ({ bytes, id }) => {
      run("DELETE FROM entries WHERE id = ?", id)
      dropParts(id, 1, partsOf(bytes))
    },
    page: (prefix, after, limit) => {
      const end = prefixEnd(prefix)
      const inside = after !== undefined && compareUtf8(after, prefix) >= 0
      return run<HeadColumns>(
        `SELECT ${head} FROM entries WHERE id ${inside ? ">" : ">="} ? ${end === undefined ? "" : "AND id < ?"}
        ORDER BY id LIMIT ?`,
        inside ? after : prefix,
        ...(end === undefined ? [] : [end]),
        Math.min(limit, Number.MAX_SAFE_INTEGER)
      ).map(headOf)
    },
    changedIn: (from, to, least) =>
      run<HeadColumns>(
        `SELECT ${head} FROM entries WHERE id >= ? ${to === undefined ? "" : "AND id < ?"} AND since >= ? ORDER BY id`,
        from ?? "",
        ...(to === undefined ? [] : [to]),
        least
      ).map(headOf),
    mark: (tag) => run<StampColumns>("SELECT wall, counter, writer FROM marks WHERE tag = ?", tag).map(stampOf)[0],
    marks: () => new Map(run<MarkColumns>("SELECT tag, wall, counter, writer FROM marks ORDER BY tag").map(markOf)),
    marksAfter: (after, limit) =>
      run<MarkColumns>(
        `SELECT tag, wall, counter, writer FROM marks ${after === undefined ? "" : "WHERE tag > ?"} ORDER BY tag LIMIT ?`,
        ...(after === undefined ? [] : [after]),
        limit
      ).map(markOf),
    changedMarksIn: (from, to, least) =>
      new Map(
        run<MarkColumns>(
          `SELECT tag, wall, counter, writer FROM marks
          WHERE tag >= ? ${to === undefined ? "" : "AND tag < ?"} AND since >= ? ORDER BY tag`,
          from ?? "",
          ...(to === undefined ? [] : [to]),
          least
        ).map(markOf)
      ),
    highestMark: () => run<{ wall: number | null }>("SELECT max(wall) AS wall FROM marks")[0]!.wall ?? 0,
    writeMark: (tag, { counter, wall, writer }, since) => {
      run(
        `INSERT INTO marks (tag, wall, counter, writer, since) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (tag) DO UPDATE SET wall = excluded.wall, counter = excluded.counter, writer = excluded.writer,
          since = excluded.since`,
        tag,
        wall,
        counter,
        writer,
        since
      )
    },
    removeMark: (tag) => {
      run("DELETE FROM marks WHERE tag = ?", tag)
    },
    load: () => {
      const [row] = run<{ value: string }>("SELECT value FROM state WHERE name = 'shard'")
      return row === undefined ? undefined : (JSON.parse(row.value) as ShardState)
    },
    save: (state) => {
      run(
        "INSERT INTO state (name, value) VALUES ('shard', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        JSON.stringify(state)
      )
    },
    note: (name) => {
      const [row] = run<{ value: string }>("SELECT value FROM state WHERE name = ?", name)
      return row === undefined ? undefined : JSON.parse(row.value)
    },
    saveNote: (name, value) => {
      run(
        "INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        JSON.stringify(value)
      )
    },
    pages: {
      heads: () =>
        run<PageColumns>("SELECT first, since, entries, tombstones, bytes FROM pages ORDER BY first").map(
          (head) => head
        ),
      read: (first) =>
        new Uint8Array(run<{ value: ArrayBuffer }>("SELECT value FROM pages WHERE first = ?", first)[0]!.value),
      write: ({ bytes, entries, first, since, tombstones }, rows) => {
        run(
          `INSERT INTO pages (first, since, entries, tombstones, bytes, value) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (first) DO UPDATE SET since = excluded.since, entries = excluded.entries,
            tombstones = excluded.tombstones, bytes = excluded.bytes, value = excluded.value`,
          first,
          since,
          entries,
          tombstones,
          bytes,
          bufferOf(rows)
        )
      },
      remove: (first) => {
        run("DELETE FROM pages WHERE first = ?", first)
      }
    },
    size: () =>
      run<{ entries: number; tombstones: number; bytes: number }>(
        `SELECT count(expires_at) AS entries, count(*) - count(expires_at) AS tombstones, total(bytes) AS bytes
        FROM entries`
      )[0]!,
    billed: () => ({ rowsRead, rowsWritten })
  }
}

type PageColumns = { -readonly [K in keyof PageHead]: PageHead[K] }

type StampColumns = { readonly wall: number; readonly counter: number; readonly writer: string }

type MarkColumns = StampColumns & { readonly tag: string }

const markOf = (columns: MarkColumns) => [columns.tag, stampOf(columns)] as const

const stampOf = ({ counter, wall, writer }: StampColumns): Stamp => ({ wall, counter, writer })

const aheadOf = ({ ahead }: Pick<HeadColumns, "ahead">): RowHead["ahead"] => (ahead === null ? [] : JSON.parse(ahead))

const headOf = (columns: HeadColumns): RowHead => ({
  id: columns.id,
  version: stampOf(columns),
  ahead: aheadOf(columns),
  deletedAt: columns.deleted_at,
  bytes: columns.bytes,
  since: columns.since,
  body:
    columns.expires_at === null
      ? undefined
      : {
          expiresAt: columns.expires_at,
          contentType: columns.content_type!,
          tags: columns.tags === null ? [] : JSON.parse(columns.tags),
          loadMillis: columns.load_millis!
        }
})

/** The lowest text above all that begin with the prefix, by code points, as UTF-8 orders them; undefined for none. */
const prefixEnd = (prefix: string): string | undefined => {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}

const bufferOf = (value: Uint8Array): ArrayBuffer =>
  (value.byteLength === value.buffer.byteLength ? value.buffer : value.slice().buffer) as ArrayBuffer
