import {
  sizeOf as bytesOf,
  collectionOf,
  decode,
  encode,
  type PagedRow
} from "../../../../services/durable/model/RowPage.ts"
import type { ShardRow } from "../../../../services/durable/Shard.ts"
import { compareUtf8 } from "../../../../services/kv/model/KvPaging.ts"
import { makeRecent } from "../../../base/recent.ts"
import { headOf, type PageHead, type RowHead, type ShardRows } from "./shardRows.ts"

/**
 * A page is written as one row, which is billed by the piece: as much as this. What is larger than a quarter of it keeps
 * a row of its own.
 */
const defaultPageBytes = 32 * 1024

/**
 * A write of a few rows writes all of its page again. Pages that only such writes come to are halved down to this, one
 * row for every so many of them; those that are written as wholes side by side are joined.
 */
const narrowestShare = 8
const narrowWrites = 8

/** Pages that stay decoded in memory. */
const heldBytes = 4 * 1024 * 1024

export interface PagingOptions {
  /** Default 32 KiB. */
  readonly pageBytes?: number
  /** Bytes that a value counts for. Default: its length. */
  readonly weigh?: (value: Uint8Array) => number
}

/** A page that the transaction under way changes. */
interface Open {
  /** In order. */
  rows: Array<PagedRow>
  /** Of rows that were put or removed. */
  changed: number
}

/**
 * Rows of which those marked `packed` lie together in pages, the others each for itself: who uses them sees no
 * difference but in what is billed. A page has the ids of one collection from its first on, up to the next one's. Each
 * page that a transaction changes is written at its end, once.
 */
export const makePackedRows = (
  rows: ShardRows,
  options: PagingOptions = {}
): ShardRows & { readonly beside: (id: string) => ReadonlyArray<ShardRow> } => {
  const { pageBytes = defaultPageBytes, weigh = (value) => value.byteLength } = options
  const { pages } = rows
  const sizeOf = (held: PagedRow): number => bytesOf(held, weigh)
  const sizeOfAll = (held: ReadonlyArray<PagedRow>): number => held.reduce((sum, one) => sum + sizeOf(one), 0)
  let heads = new Map<string, PageHead>()
  let firsts: ReadonlyArray<string> = []
  let cache = makeRecent<string, ReadonlyArray<PagedRow>>(heldBytes, sizeOfAll)
  /** Narrow writes to a page since it was last written as a whole. */
  const narrow = new Map<string, number>()
  const open = new Map<string, Open>()
  let isStale = true

  const load = (): void => {
    isStale = false
    const found = pages.heads()
    heads = new Map(found.map((head) => [head.first, head]))
    firsts = found.map(({ first }) => first)
    cache = makeRecent(heldBytes, sizeOfAll)
    open.clear()
  }
  load()

  /** What was changed is not what is stored, after a transaction that failed. */
  const current = (): ReadonlyArray<string> => {
    if (isStale) load()
    return firsts
  }

  /** The page that has the id, if it is in any. */
  const pageOf = (id: string): string | undefined => {
    const first = current()[placeIn(firsts, id, same) - 1]
    return first !== undefined && collectionOf(first) === collectionOf(id) ? first : undefined
  }

  const rowsOf = (first: string): ReadonlyArray<PagedRow> => {
    const held = open.get(first)?.rows ?? cache.get(first)
    if (held !== undefined) return held
    const decoded = decode(first, pages.read(first))
    cache.put(first, decoded)
    return decoded
  }

  const packedBeside = (first: string | undefined) => (first === undefined ? [] : rowsOf(first).map(({ row }) => row))

  const find = (id: string): PagedRow | undefined => {
    const first = pageOf(id)
    if (first === undefined) return undefined
    const held = rowsOf(first)
    const found = held[placeIn(held, id, idOf) - 1]
    return found?.row.id === id ? found : undefined
  }

  /** Puts a row into its page, or takes it out. */
  const change = (id: string, next: PagedRow | undefined): void => {
    const first = pageOf(id) ?? collectionOf(id)
    let page = open.get(first)
    if (page === undefined) {
      page = { rows: heads.has(first) ? [...rowsOf(first)] : [], changed: 0 }
      open.set(first, page)
      if (!heads.has(first))
        firsts = [...firsts.slice(0, placeIn(firsts, id, same)), first, ...firsts.slice(placeIn(firsts, id, same))]
    }
    const after = placeIn(page.rows, id, idOf)
    const before = page.rows[after - 1]
    const replaces = before?.row.id === id
    page.rows.splice(replaces ? after - 1 : after, replaces ? 1 : 0, ...(next === undefined ? [] : [next]))
    page.changed += sizeOf((next ?? before)!)
  }

  const put = (first: string, held: ReadonlyArray<PagedRow>): void => {
    const head = { first, since: 0, entries: 0, tombstones: 0, bytes: 0 }
    for (const { row, since } of held) {
      head.since = Math.max(head.since, since)
      head[row.body === undefined ? "tombstones" : "entries"] += 1
      head.bytes += row.body?.value.byteLength ?? 0
    }
    pages.write(head, encode(first, held))
    heads.set(first, head)
    cache.put(first, held)
  }

  const remove = (first: string): void => {
    if (heads.delete(first)) pages.remove(first)
    narrow.delete(first)
    firsts = firsts.filter((other) => other !== first)
  }

  const isBroad = ({ changed, rows }: Open): boolean => 4 * changed >= sizeOfAll(rows)

  /** Joins a page to the one before it, where a write changes both as wholes. */
  const join = (): void => {
    for (const first of [...open.keys()].sort(compareUtf8)) {
      const before = firsts[placeIn(firsts, first, same) - 2]
      const [into, page] = [before === undefined ? undefined : open.get(before), open.get(first)!]
      if (into === undefined || collectionOf(before!) !== collectionOf(first) || !isBroad(into) || !isBroad(page))
        continue
      if (sizeOfAll(into.rows) + sizeOfAll(page.rows) > pageBytes) continue
      into.rows.push(...page.rows)
      into.changed += page.changed
      open.delete(first)
      remove(first)
    }
  }

  /** How many pages a changed one becomes. */
  const partsOf = (first: string, page: Open): number => {
    const size = sizeOfAll(page.rows)
    // What is written as a whole again fills its pages; where single rows come, there is to be room for more.
    if (size > pageBytes) return Math.ceil(size / ((isBroad(page) ? 0.9 : 0.5) * pageBytes))
    const writes = isBroad(page) ? 0 : (narrow.get(first) ?? 0) + 1
    const isNarrow = writes >= narrowWrites && size > (2 * pageBytes) / narrowestShare
    narrow.set(first, isNarrow ? 0 : writes)
    return isNarrow ? 2 : 1
  }

  const flush = (): void => {
    if (open.size === 0) return
    if (open.size > 1) join()
    for (const [first, page] of open) {
      if (page.rows.length === 0) remove(first)
      else {
        const [own = [], ...others] = splitRows(page.rows, partsOf(first, page), sizeOf)
        put(first, own)
        for (const part of others) {
          const next = part[0]!.row.id
          const place = placeIn(firsts, next, same)
          firsts = [...firsts.slice(0, place), next, ...firsts.slice(place)]
          put(next, part)
        }
      }
    }
    open.clear()
  }

  /** Heads of packed rows from an id on, in order. */
  function* from(id: string): Generator<RowHead> {
    for (let place = Math.max(0, placeIn(current(), id, same) - 1); place < firsts.length; place++) {
      const held = rowsOf(firsts[place]!)
      for (const { row, since } of held) if (compareUtf8(row.id, id) >= 0) yield headOf(row, since)
    }
  }

  return {
    ...rows,
    transaction: (body) => {
      try {
        return rows.transaction(() => {
          const result = body()
          flush()
          return result
        })
      } catch (cause) {
        isStale = true
        throw cause
      }
    },
    head: (id) => {
      const held = find(id)
      return held === undefined ? rows.head(id) : headOf(held.row, held.since)
    },
    read: (id) => find(id)?.row ?? rows.read(id),
    /** The rows of the page that the id belongs into. */
    beside: (id) => packedBeside(pageOf(id)),
    write: (row, before, since) => {
      const isPacked = find(row.id) !== undefined
      const held = { row, since }
      if (row.packed === true && 4 * sizeOf(held) <= pageBytes && collectionOf(row.id) !== "") {
        if (!isPacked && before !== undefined) rows.remove(before)
        return change(row.id, held)
      }
      if (isPacked) change(row.id, undefined)
      const { packed: _, ...own } = row
      rows.write(own, isPacked ? undefined : before, since)
    },
    remove: (row) => (find(row.id) === undefined ? rows.remove(row) : change(row.id, undefined)),
    page: (prefix, after, limit) => {
      const plain = rows.page(prefix, after, limit)
      const packed: Array<RowHead> = []
      const begin = after !== undefined && compareUtf8(after, prefix) > 0 ? after : prefix
      for (const head of from(begin)) {
        if (packed.length === limit || !head.id.startsWith(prefix)) break
        if (head.id !== after) packed.push(head)
      }
      return merged(plain, packed).slice(0, limit)
    },
    changedIn: (low, high, least) => {
      const packed: Array<RowHead> = []
      for (let place = Math.max(0, placeIn(current(), low ?? "", same) - 1); place < firsts.length; place++) {
        const first = firsts[place]!
        if (high !== undefined && compareUtf8(first, high) >= 0) break
        if (!open.has(first) && heads.get(first)!.since < least) continue
        for (const { row, since } of rowsOf(first)) {
          const isIn = compareUtf8(row.id, low ?? "") >= 0 && (high === undefined || compareUtf8(row.id, high) < 0)
          if (isIn && since >= least) packed.push(headOf(row, since))
        }
      }
      return merged(rows.changedIn(low, high, least), packed)
    },
    size: () => {
      let { bytes, entries, tombstones } = rows.size()
      if (isStale) load()
      for (const head of heads.values()) {
        bytes += head.bytes
        entries += head.entries
        tombstones += head.tombstones
      }
      return { entries, tombstones, bytes }
    }
  }
}

// internal

const idOf = ({ row }: PagedRow): string => row.id

const same = (id: string): string => id

/** How many of what is in order are not above the id. */
const placeIn = <A>(ordered: ReadonlyArray<A>, id: string, of: (item: A) => string): number => {
  let [low, high] = [0, ordered.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareUtf8(of(ordered[middle]!), id) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Consecutive parts, as even as they come. */
const splitRows = (
  held: ReadonlyArray<PagedRow>,
  count: number,
  sizeOf: (held: PagedRow) => number
): ReadonlyArray<ReadonlyArray<PagedRow>> => {
  const share = held.reduce((sum, one) => sum + sizeOf(one), 0) / count
  const parts: Array<Array<PagedRow>> = [[]]
  let bytes = 0
  for (const one of held) {
    if (bytes >= share * parts.length && parts.at(-1)!.length > 0) parts.push([])
    parts.at(-1)!.push(one)
    bytes += sizeOf(one)
  }
  return parts
}

/** Both in order; no id is in both. */
const merged = (a: ReadonlyArray<RowHead>, b: ReadonlyArray<RowHead>): ReadonlyArray<RowHead> =>
  a.length === 0 ? b : b.length === 0 ? a : [...a, ...b].sort((one, other) => compareUtf8(one.id, other.id))
