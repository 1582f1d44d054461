import type { RowVersion, ShardRow } from "../../../../services/durable/Shard.ts"
import type { Stamp } from "../../../../services/store/model/Entry.ts"

/** A row without its value: all that ordering, listing and sweeping need. */
export interface RowHead extends RowVersion {
  readonly id: string
  /** Of the value. */
  readonly bytes: number
  /** When it changed last, as shardTracking.ts has it; 0 before that was kept. */
  readonly since: number
  /** Undefined for a tombstone. */
  readonly body: Omit<NonNullable<ShardRow["body"]>, "value"> | undefined
  /** Milliseconds since the epoch; 0 for an entry. */
  readonly deletedAt: number
  readonly packed?: boolean
}

export const headOf = ({ body, ...row }: ShardRow, since: number): RowHead => ({
  ...row,
  body,
  bytes: body?.value.byteLength ?? 0,
  since
})

/** What shardTracking.ts keeps. */
export interface TrackedState {
  /** The last epoch that the base of the snapshots has; 0 where there is none. */
  readonly base: number
  readonly epoch: number
  /** Ranges in which something changed since, by number. */
  readonly rows: ReadonlyArray<number>
  readonly marks: ReadonlyArray<number>
}

/** What outlives a restart beside rows and marks. Counts are since the object was made. */
export interface ShardState {
  readonly dirty: boolean
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly hits: number
  readonly reads: number
  readonly conflicts: number
  readonly tracked?: TrackedState
  /** What the saver of the last snapshot has to remember. */
  readonly saved?: unknown
}

export type NoteName = "seal" | "life" | "bounds" | "hashedTags" | "due"

export interface ShardSize {
  readonly entries: number
  readonly tombstones: number
  readonly bytes: number
}

/** A page but for its rows; the sums are of those. */
export interface PageHead extends ShardSize {
  /** The least id that belongs into it; what belongs into the next is above. */
  readonly first: string
  /** The highest of its rows'. */
  readonly since: number
}

/** Pages, one row each. */
export interface PageStore {
  /** In UTF-8 byte order. */
  readonly heads: () => ReadonlyArray<PageHead>
  readonly read: (first: string) => Uint8Array
  readonly write: (head: PageHead, rows: Uint8Array) => void
  readonly remove: (first: string) => void
}

/** Where a shard keeps its rows: what differs between its layers. Everything is durable when it returns. */
export interface ShardRows {
  /** All of the body's writes or, if it throws, none. */
  readonly transaction: <A>(body: () => A) => A
  readonly head: (id: string) => RowHead | undefined
  readonly read: (id: string) => ShardRow | undefined
  /** @param before what stands under the id */
  readonly write: (row: ShardRow, before: RowHead | undefined, since: number) => void
  readonly remove: (row: RowHead) => void
  /** Up to `limit` rows whose ids begin with `prefix` and follow `after`, in UTF-8 byte order. */
  readonly page: (prefix: string, after: string | undefined, limit: number) => ReadonlyArray<RowHead>
  /** Rows from one id up to before another, in UTF-8 byte order, whose `since` is `least` or more. */
  readonly changedIn: (from: string | undefined, to: string | undefined, least: number) => ReadonlyArray<RowHead>
  readonly mark: (tag: string) => Stamp | undefined
  readonly marks: () => ReadonlyMap<string, Stamp>
  /** In UTF-8 byte order. */
  readonly marksAfter: (after: string | undefined, limit: number) => ReadonlyArray<readonly [string, Stamp]>
  readonly changedMarksIn: (
    from: string | undefined,
    to: string | undefined,
    least: number
  ) => ReadonlyMap<string, Stamp>
  /** The highest `wall` of all marks; 0 for none. */
  readonly highestMark: () => number
  readonly writeMark: (tag: string, stamp: Stamp, since: number) => void
  readonly removeMark: (tag: string) => void
  readonly load: () => ShardState | undefined
  readonly save: (state: ShardState) => void
  /** Something else that outlives a restart, as JSON. */
  readonly note: (name: NoteName) => unknown
  readonly saveNote: (name: NoteName, value: unknown) => void
  readonly pages: PageStore
  /** Whether there is no room for more: {@link maxShardBytes}. Reads no row. */
  readonly isFull: () => boolean
  /** Looks at every row. */
  readonly size: () => ShardSize
  /** Billed rows since this was made. */
  readonly billed: () => { readonly rowsRead: number; readonly rowsWritten: number }
}
