import type * as Either from "effect/Either"
import { ByteWriter } from "../../base/model/ByteCodec.ts"
import { sharing } from "../../base/model/Sharing.ts"
import * as Frame from "../../compression/model/Frame.ts"
import { compareUtf8 } from "../../kv/model/KvPaging.ts"
import { readBody, readStamp, rowBytes, withValue, writeBody, writeStamp } from "../../snapshots/model/Segment.ts"
import { compareStamps, type Entry, type Stamp, zeroStamp } from "../../store/model/Entry.ts"
import { bytesOf } from "../../store/model/EntryBytes.ts"

/** What a page holds of one key. */
export interface PageRow {
  readonly key: string
  readonly version: Stamp
  /** Milliseconds since the epoch when it was deleted; 0 for a row that was not. */
  readonly deletedAt: number
  /** The entry but for its stamp; undefined for a deleted one, and for one with a key of its own in KV. */
  readonly body: Omit<Entry, "stamp"> | undefined
}

/** A page of a collection that has more than one: the keys from `from` on, up to the next one's. */
export interface PageRange {
  readonly from: string
  /** What its KV key ends with; never used again. */
  readonly name: string
  /** The page that it was split from, for who does not see the new one yet. */
  readonly was: string
}

/**
 * Many entries of one collection in one KV value. A collection begins as one page, its root. When that grows over
 * {@link pageBytes}, the root becomes a directory and the rows go to pages of their own, each a range of keys in the
 * order of their UTF-8 bytes: neighbours in that order are asked for together more often than chance has it, and it
 * is the order of listings. A split writes new pages, then the directory, and leaves the rows and a pointer in the old page.
 */
export interface Page {
  /** In key order. */
  readonly rows: ReadonlyArray<PageRow>
  /** In a root: what it is the directory of, in key order. In another page: what it was split into. Else empty. */
  readonly ranges: ReadonlyArray<PageRange>
}

/** Bytes of rows, before compression, over which a page is split. */
export const pageBytes = 256 * 1024

/** Bytes of a value over which it gets a KV key of its own: it would be most of its page. */
export const ownKeyBytes = 64 * 1024

/** How long a deleted key is remembered, so that who merges an older view of its page does not bring it back. Milliseconds. */
export const pageTombstoneMillis = 3_600_000

/**
 * How long after it was written a row is remembered, though it has expired by then: longer than any isolate holds its
 * own writes against pages that lack them, so that what a short-lived entry overtook does not come back. Milliseconds.
 */
export const rememberedMillis = 600_000

/** How long a page that was split is still there, for those who have an older directory. Milliseconds. */
export const supersededMillis = 3_600_000

/** A name for a new page. `random` in [0, 1). */
export const newName = (now: number, part: number, random: number): string =>
  `${now.toString(36)}-${part.toString(36)}-${Math.floor(random * 2 ** 48).toString(36)}`

/** Whether a page of this name may be there unseen, on its way to a location. */
export const isYoung = (name: string, now: number): boolean =>
  now - Number.parseInt(name.split("-")[0]!, 36) < supersededMillis

/** The entry of a row; undefined where there is none in the page. */
export const entryIn = ({ body, version }: PageRow): Entry | undefined => body && { ...body, stamp: version }

/** Whether the row's entry lies under a KV key of its own. */
export const isElsewhere = ({ body, deletedAt }: PageRow): boolean => body === undefined && deletedAt === 0

/**
 * No entry: it keeps a page for ever whose collection had keys of its own before, so that those are not taken for what
 * the collection holds once all that replaced them has expired. No entry has an empty key.
 */
export const keeper: PageRow = { key: "", version: zeroStamp, deletedAt: 0, body: undefined }

/** Of each key the highest version, in key order. */
export const merge = (
  base: ReadonlyArray<PageRow>,
  changes: ReadonlyArray<PageRow>
): { readonly rows: ReadonlyArray<PageRow>; readonly changed: boolean } => {
  const rows = new Map(base.map((row) => [row.key, row]))
  let changed = false
  for (const row of changes) {
    const held = rows.get(row.key)
    if (held !== undefined && compareStamps(held.version, row.version) >= 0) continue
    rows.set(row.key, row)
    changed = true
  }
  return { rows: changed ? [...rows.values()].sort((a, b) => compareUtf8(a.key, b.key)) : base, changed }
}

/**
 * The rows that are of use to anybody: `retainMillis` is how long beyond its expiry an entry is. One that has not been
 * there for {@link rememberedMillis} by then leaves its version, as a deleted one does.
 */
export const swept = (rows: ReadonlyArray<PageRow>, retainMillis: number, now: number): ReadonlyArray<PageRow> =>
  rows.flatMap((row) => {
    const { body, deletedAt, key, version } = row
    if (body === undefined) return deletedAt === 0 || now < deletedAt + pageTombstoneMillis ? [row] : []
    if (now < body.expiresAt + retainMillis) return [row]
    const until = version.wall + rememberedMillis
    if (now >= until) return []
    return [{ key, version, deletedAt: Math.max(1, until - pageTombstoneMillis), body: undefined }]
  })

/** Consecutive parts of at most so many bytes each, as even as they come. */
export const splitRows = (rows: ReadonlyArray<PageRow>, maxBytes: number): ReadonlyArray<ReadonlyArray<PageRow>> => {
  const total = rows.reduce((sum, row) => sum + bytesOfRow(row), 0)
  if (total <= maxBytes) return [rows]
  const share = total / Math.ceil((2 * total) / maxBytes)
  const parts: Array<Array<PageRow>> = [[]]
  let bytes = 0
  for (const row of rows) {
    if (bytes >= share && parts.at(-1)!.length > 0) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)!.push(row)
    bytes += bytesOfRow(row)
  }
  return parts
}

/** When all of it has expired: milliseconds since the epoch; `Infinity` for never. */
export const expiryOf = ({ ranges, rows }: Page, retainMillis: number): number =>
  ranges.length > 0 && rows.length === 0
    ? forever
    : rows.reduce((latest, { body, deletedAt, version }) => {
        const until =
          body === undefined ? (deletedAt === 0 ? forever : deletedAt + pageTombstoneMillis) : body.expiresAt
        return Math.max(latest, until + retainMillis, version.wall + rememberedMillis)
      }, 0)

export const encode = ({ ranges, rows }: Page): Either.Either<Uint8Array, Frame.FrameError> => {
  const writer = new ByteWriter(rows.reduce((sum, row) => sum + bytesOfRow(row), 64))
  writer.varint(ranges.length)
  for (const { from, name, was } of ranges) {
    writer.string(from)
    writer.string(name)
    writer.string(was)
  }
  writer.varint(rows.length)
  for (const row of rows) {
    writer.string(row.key)
    writeStamp(writer, row.version)
    writer.number(row.deletedAt)
    writeBody(writer, row.body)
  }
  for (const { body } of rows) if (body !== undefined) writer.raw(body.value)
  return Frame.encode("page", writer.written())
}

export const decode = (bytes: Uint8Array): Either.Either<Page, Frame.FrameError> =>
  Frame.decode("page", bytes, (reader) => {
    const shared = sharing()
    const ranges = reader.list(() => ({ from: reader.string(), name: reader.string(), was: reader.string() }))
    const heads = reader.list(() => ({
      key: reader.string(),
      version: readStamp(reader, shared),
      deletedAt: reader.number(),
      body: readBody(reader, shared)
    }))
    return { ranges, rows: heads.map(({ body, ...row }): PageRow => ({ ...row, body: withValue(reader, body) })) }
  })

const forever = Number.POSITIVE_INFINITY

const bytesOfRow = ({ body, key }: PageRow): number => rowBytes({ id: key, bytes: bytesOf(body) })
