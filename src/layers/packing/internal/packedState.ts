import type { KvError } from "../../../services/kv/Kv.ts"
import type { Page, PageRow } from "../../../services/packing/model/Page.ts"
import type { Collection } from "../../../services/store/model/Collection.ts"
import type { Stamp } from "../../../services/store/model/Entry.ts"
import { compareStamps } from "../../../services/store/model/Entry.ts"
import { bytesOf } from "../../../services/store/model/EntryBytes.ts"

/** How long this isolate holds its own writes against a view of KV that lacks them. Milliseconds. */
export const heldMillis = 360_000

/** Bytes of values that it holds so at most. */
const heldBytes = 2 * 1024 * 1024

/** After how long a view that lacks a write is no late one any more: somebody has overwritten the page. Milliseconds. */
export const lateViewMillis = 60_000

const hotSample = 128

/** Rows that are remembered of what was cleared, so that older views of KV do not bring them back: some 10 MB. */
export const mostCleared = 50_000

export interface Image {
  readonly page: Page
  /** Milliseconds since the epoch. */
  readonly readAt: number
}

/** One row on its way into its page. */
export interface Ticket {
  readonly row: PageRow
  outcome: { readonly error: KvError | undefined } | undefined
}

/** What an isolate knows of one packed collection. */
export class PackedState {
  /** By name, "" for the root. */
  readonly images = new Map<string, Image>()
  readonly queue: Array<Ticket> = []
  /** Keys that were given a KV key of their own here. */
  readonly elsewhere = new Set<string>()
  readonly counts = { pageReads: 0, pageWrites: 0, rows: 0, healed: 0, splits: 0, extracted: 0, unchanged: 0 }
  /** Since when a flush is under way; milliseconds. */
  busySince: number | undefined
  #own = new Map<string, { readonly row: PageRow; readonly at: number }>()
  #ownBytes = 0
  #cleared = { at: Number.NEGATIVE_INFINITY, rows: new Map<string, Stamp>(), pages: new Set<string>() }
  #heat = { puts: 0, rows: 0, byKey: new Map<string, number>() }

  wrote(rows: ReadonlyArray<PageRow>, now: number): void {
    for (const row of rows) {
      this.#forget(row.key)
      if (this.elsewhere.has(row.key)) continue
      this.#own.set(row.key, { row, at: now })
      this.#ownBytes += bytesOfRow(row)
    }
    for (const [key, { at }] of this.#own) {
      if (now - at < heldMillis && this.#ownBytes <= heldBytes) break
      this.#forget(key)
    }
  }

  #forget(key: string): void {
    const held = this.#own.get(key)
    if (held === undefined) return
    this.#own.delete(key)
    this.#ownBytes -= bytesOfRow(held.row)
  }

  /** @param rows,pages what there was */
  clear(rows: ReadonlyArray<Pick<PageRow, "key" | "version">>, pages: ReadonlyArray<string>, now: number): void {
    const before = now - this.#cleared.at < heldMillis ? this.#cleared : undefined
    const versions = rows.map((row) => [row.key, row.version] as const)
    this.#cleared = {
      at: now,
      rows: new Map([...(before?.rows ?? []), ...versions].slice(-mostCleared)),
      pages: new Set([...(before?.pages ?? []), ...pages])
    }
    this.images.clear()
    this.#own.clear()
    this.#ownBytes = 0
    this.elsewhere.clear()
  }

  /** What was read, without what was cleared here and KV still shows; undefined when it is of no use. */
  known(page: Page, now: number): Page | undefined {
    const { at, pages, rows } = this.#cleared
    if (now - at >= heldMillis) return page
    if (page.ranges.some(({ name }) => pages.has(name))) return undefined
    return {
      ...page,
      rows: page.rows.filter(({ key, version }) => {
        const ended = rows.get(key)
        return ended === undefined || compareStamps(version, ended) > 0
      })
    }
  }

  /** This isolate's own last writes to the keys. */
  own(isAbout: (key: string) => boolean, now: number): ReadonlyArray<PageRow> {
    const rows: Array<PageRow> = []
    for (const [key, { at, row }] of this.#own) if (now - at < heldMillis && isAbout(key)) rows.push(row)
    return rows
  }

  /** Own writes that a page read from KV at `readAt` should hold and does not. */
  lost(
    versions: ReadonlyMap<string, Stamp>,
    isAbout: (key: string) => boolean,
    readAt: number,
    now: number
  ): ReadonlyArray<PageRow> {
    const rows: Array<PageRow> = []
    for (const [key, { at, row }] of this.#own) {
      if (readAt - at < lateViewMillis || now - at >= heldMillis || !isAbout(key)) continue
      const there = versions.get(key)
      if (there === undefined || compareStamps(there, row.version) < 0) rows.push(row)
    }
    return rows
  }

  /**
   * Counts one put of a page, and tells which of its keys are hot: in most of its puts, which carry little else, while
   * the page holds many. Each put of theirs compresses and races for all the others.
   */
  hot(keys: ReadonlyArray<string>, pageRows: number): ReadonlySet<string> {
    const heat = this.#heat
    heat.puts++
    heat.rows += keys.length
    for (const key of keys) heat.byKey.set(key, (heat.byKey.get(key) ?? 0) + 1)
    if (heat.puts < hotSample) return none
    this.#heat = { puts: 0, rows: 0, byKey: new Map() }
    if (heat.rows > 2 * heat.puts || pageRows < 16) return none
    return new Set([...heat.byKey].filter(([, count]) => count > heat.puts / 2).map(([key]) => key))
  }
}

const none: ReadonlySet<string> = new Set()

const bytesOfRow = ({ body, key }: PageRow): number => key.length * 2 + 64 + bytesOf(body)

/** A packed collection, and what this isolate knows of its pages. */
export interface PackedCollection {
  readonly collection: Collection
  readonly state: PackedState
}
