import { type RowSummary, type ShardRow, summaryOf } from "../../../services/durable/Shard.ts"
import type { Stamp } from "../../../services/store/model/Entry.ts"

/** A row without its value: all that ordering, listing and sweeping need. */
export interface RowHead extends RowSummary {
  /** Undefined for a tombstone. */
  readonly body: Omit<NonNullable<ShardRow["body"]>, "value"> | undefined
  /** Milliseconds since the epoch; 0 for an entry. */
  readonly deletedAt: number
}

export const headOf = (row: ShardRow): RowHead => ({ ...summaryOf(row), body: row.body, deletedAt: row.deletedAt })

/** What outlives a restart beside rows and marks. Counts are since the object was made. */
export interface ShardState {
  readonly dirty: boolean
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly hits: number
  readonly reads: number
  readonly conflicts: number
}

export type NoteName = "seal" | "life"

export interface ShardSize {
  readonly entries: number
  readonly tombstones: number
  readonly bytes: number
}

/** Where a shard keeps its rows: what differs between its layers. Everything is durable when it returns. */
export interface ShardRows {
  /** All of the body's writes or, if it throws, none. */
  readonly transaction: <A>(body: () => A) => A
  readonly head: (id: string) => RowHead | undefined
  readonly read: (id: string) => ShardRow | undefined
  /** @param before what stands under the id */
  readonly write: (row: ShardRow, before: RowHead | undefined) => void
  readonly remove: (row: RowHead) => void
  /** Up to `limit` rows whose ids begin with `prefix` and follow `after`, in UTF-8 byte order. */
  readonly page: (prefix: string, after: string | undefined, limit: number) => ReadonlyArray<RowHead>
  /** Of all rows, in UTF-8 byte order. */
  readonly summaries: () => ReadonlyArray<RowSummary>
  readonly mark: (tag: string) => Stamp | undefined
  readonly marks: () => ReadonlyMap<string, Stamp>
  readonly writeMark: (tag: string, stamp: Stamp) => void
  readonly removeMark: (tag: string) => void
  readonly load: () => ShardState | undefined
  readonly save: (state: ShardState) => void
  /** Something else that outlives a restart, as JSON. */
  readonly note: (name: NoteName) => unknown
  readonly saveNote: (name: NoteName, value: unknown) => void
  /** Looks at every row. */
  readonly size: () => ShardSize
  /** Billed rows since this was made. */
  readonly billed: () => { readonly rowsRead: number; readonly rowsWritten: number }
}
