import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Shard, type ShardRow } from "../../services/durable/Shard.ts"
import { compareUtf8 } from "../../services/kv/model/KvPaging.ts"
import type { Stamp } from "../../services/store/model/Entry.ts"
import { makeShard } from "./internal/shard/shardCore.ts"
import type { PagingOptions } from "./internal/shard/shardPages.ts"
import {
  headOf,
  type NoteName,
  type PageHead,
  type RowHead,
  type ShardRows,
  type ShardState
} from "./internal/shard/shardRows.ts"
import { partsOf } from "./internal/shard/shardValue.ts"

/** What outlives a shard, as a file would. */
export interface ShardDisk {
  readonly rows: Map<string, ShardRow>
  readonly marks: Map<string, Stamp>
  readonly notes: Map<NoteName, unknown>
  /** When rows and marks changed last, those of which it is known. */
  readonly since: Map<string, number>
  readonly markSince: Map<string, number>
  /** By their first ids. */
  readonly pages: Map<string, { readonly head: PageHead; readonly rows: Uint8Array }>
  state: ShardState | undefined
}

/** An empty one. */
export const disk = (): ShardDisk => ({
  rows: new Map(),
  marks: new Map(),
  notes: new Map(),
  since: new Map(),
  markSince: new Map(),
  pages: new Map(),
  state: undefined
})

const makeRows = (disk: ShardDisk, maxBytes: number): ShardRows => {
  const { markSince, marks, pages, rows: kept, since } = disk
  const headAt = (id: string): RowHead => headOf(kept.get(id)!, since.get(id) ?? 0)
  const isIn = (id: string, from: string | undefined, to: string | undefined): boolean =>
    (from === undefined || compareUtf8(id, from) >= 0) && (to === undefined || compareUtf8(id, to) < 0)
  const marksInOrder = () => [...marks].sort(([a], [b]) => compareUtf8(a, b))
  let ordered: ReadonlyArray<string> | undefined
  let rowsRead = 0
  let rowsWritten = 0

  const inOrder = (): ReadonlyArray<string> => {
    ordered ??= [...kept.keys()].sort(compareUtf8)
    return ordered
  }

  /** The place of the first id that is not below the prefix and not up to `after`. */
  const placeOf = (prefix: string, after: string | undefined): number => {
    const ids = inOrder()
    let [low, high] = [0, ids.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const id = ids[middle]!
      if (compareUtf8(id, prefix) < 0 || (after !== undefined && compareUtf8(id, after) <= 0)) low = middle + 1
      else high = middle
    }
    return low
  }

  const bytes = (): number => [...kept.values()].reduce((sum, { body }) => sum + (body?.value.byteLength ?? 0), 0)

  return {
    transaction: (body) => body(),
    isFull: () => maxBytes !== Number.POSITIVE_INFINITY && bytes() >= maxBytes,
    head: (id) => {
      if (!kept.has(id)) return undefined
      rowsRead += 1
      return headAt(id)
    },
    read: (id) => {
      const row = kept.get(id)
      if (row !== undefined) rowsRead += partsOf(row.body?.value.byteLength ?? 0)
      return row
    },
    write: (row, before, at) => {
      if (before === undefined) ordered = undefined
      kept.set(row.id, row)
      since.set(row.id, at)
      const parts = partsOf(row.body?.value.byteLength ?? 0)
      const dropped = Math.max(0, partsOf(before?.bytes ?? 0) - parts)
      rowsRead += dropped
      rowsWritten += parts + dropped
    },
    remove: ({ bytes, id }) => {
      ordered = undefined
      kept.delete(id)
      since.delete(id)
      rowsRead += partsOf(bytes)
      rowsWritten += partsOf(bytes)
    },
    page: (prefix, after, limit) => {
      const page: Array<RowHead> = []
      let looked = 0
      for (let place = placeOf(prefix, after); place < kept.size; place++) {
        const id = inOrder()[place]!
        if (page.length === limit) break
        looked += 1
        if (!id.startsWith(prefix)) break
        page.push(headAt(id))
      }
      rowsRead += scanned(looked)
      return page
    },
    changedIn: (from, to, least) => {
      const inside = inOrder().filter((id) => isIn(id, from, to))
      rowsRead += scanned(inside.length)
      return inside.filter((id) => (since.get(id) ?? 0) >= least).map(headAt)
    },
    mark: (tag) => {
      const mark = marks.get(tag)
      if (mark !== undefined) rowsRead += 1
      return mark
    },
    marks: () => {
      rowsRead += scanned(marks.size)
      return new Map(marksInOrder())
    },
    marksAfter: (after, limit) => {
      const page = marksInOrder()
        .filter(([tag]) => after === undefined || compareUtf8(tag, after) > 0)
        .slice(0, limit)
      rowsRead += scanned(page.length)
      return page
    },
    changedMarksIn: (from, to, least) => {
      const inside = marksInOrder().filter(([tag]) => isIn(tag, from, to))
      rowsRead += scanned(inside.length)
      return new Map(inside.filter(([tag]) => (markSince.get(tag) ?? 0) >= least))
    },
    highestMark: () => {
      rowsRead += scanned(marks.size)
      return Math.max(0, ...[...marks.values()].map(({ wall }) => wall))
    },
    writeMark: (tag, stamp, at) => {
      marks.set(tag, stamp)
      markSince.set(tag, at)
      rowsWritten += 1
    },
    removeMark: (tag) => {
      marks.delete(tag)
      markSince.delete(tag)
      rowsRead += 1
      rowsWritten += 1
    },
    load: () => {
      if (disk.state !== undefined) rowsRead += 1
      return disk.state
    },
    save: (saved) => {
      disk.state = saved
      rowsWritten += 1
    },
    note: (name) => {
      const note = disk.notes.get(name)
      if (note !== undefined) rowsRead += 1
      return note
    },
    saveNote: (name, value) => {
      disk.notes.set(name, value)
      rowsWritten += 1
    },
    pages: {
      heads: () => {
        rowsRead += scanned(pages.size)
        return [...pages.values()].map(({ head }) => head).sort((a, b) => compareUtf8(a.first, b.first))
      },
      read: (first) => {
        rowsRead += 1
        return pages.get(first)!.rows
      },
      write: (head, rows) => {
        rowsWritten += 1
        pages.set(head.first, { head, rows: rows.slice() })
      },
      remove: (first) => {
        rowsRead += 1
        rowsWritten += 1
        pages.delete(first)
      }
    },
    size: () => {
      rowsRead += scanned(kept.size)
      let entries = 0
      let bytes = 0
      for (const { body } of kept.values()) {
        if (body === undefined) continue
        entries += 1
        bytes += body.value.byteLength
      }
      return { entries, tombstones: kept.size - entries, bytes }
    },
    billed: () => ({ rowsRead, rowsWritten })
  }
}

/** SQLite bills a scan that finds nothing with one row. */
const scanned = (rows: number): number => Math.max(1, rows)

/** A shard in a Map, billed as SQLite bills it. @param paging see shardPages.ts @param maxBytes of values */
export const make = (
  kept: ShardDisk = disk(),
  paging?: PagingOptions,
  maxBytes = Number.POSITIVE_INFINITY
): Context.Tag.Service<Shard> => makeShard(makeRows(kept, maxBytes), paging)

export const layer: Layer.Layer<Shard> = Layer.sync(Shard, () => make())
