import type { ShardStats } from "../../../services/durable/Shard.ts"
import type { RowHead, ShardRows, ShardSize, ShardState } from "./shardRows.ts"

/** Reads that may go uncounted when the object is evicted; one row is written for so many. */
const readsPerSave = 1000

/**
 * What a shard knows of its own history: whether it changed since its last snapshot, and its counts. The state row is
 * written when the flag turns, and with it the counts; those of reads alone once in a while.
 *
 * @param base marks begin here; drawn anew in every life, so that a mark of an earlier one cleans nothing
 */
export const makeChanges = (rows: ShardRows, base: number) => {
  const past = { ...nothingYet, ...rows.load() }
  let { conflicts, hits, reads } = past
  let flagged = past.dirty
  let made = base
  let captured = base
  let savedReads = reads
  let size: ShardSize | undefined

  const billed = () => {
    const now = rows.billed()
    return { rowsRead: past.rowsRead + now.rowsRead, rowsWritten: past.rowsWritten + now.rowsWritten }
  }

  const save = (): void => {
    const { rowsRead, rowsWritten } = billed()
    rows.save({ dirty: flagged, rowsRead, rowsWritten: rowsWritten + 1, hits, reads, conflicts })
    savedReads = reads
  }

  const changed = (): void => {
    made += 1
    if (flagged) return
    flagged = true
    save()
  }

  return {
    changed,
    billed,
    dirty: () => flagged,
    mark: () => made,
    clean: (mark: number): void => {
      if (mark < base || mark > made) return
      captured = Math.max(captured, mark)
      if (!flagged || captured < made) return
      flagged = false
      save()
    },
    /** To be called before a transaction; what it returns, when the transaction has failed. */
    begin: () => {
      const before = flagged
      return () => {
        flagged = before
        size = undefined
      }
    },
    wereRead: (asked: number, found: number): void => {
      reads += asked
      hits += found
      if (reads - savedReads >= readsPerSave) save()
    },
    conflicted: (): void => {
      conflicts += 1
    },
    /** A row took the place of another; either may be none. */
    resized: (before: RowHead | undefined, after: RowHead | undefined): void => {
      if (size === undefined) return
      const count = (kind: "entry" | "tombstone") => Number(is(kind, after)) - Number(is(kind, before))
      size = {
        entries: size.entries + count("entry"),
        tombstones: size.tombstones + count("tombstone"),
        bytes: size.bytes + (after?.bytes ?? 0) - (before?.bytes ?? 0)
      }
    },
    stats: (): ShardStats => {
      size ??= rows.size()
      return { ...size, ...billed(), hits, reads, conflicts }
    }
  }
}

const nothingYet: ShardState = { dirty: false, rowsRead: 0, rowsWritten: 0, hits: 0, reads: 0, conflicts: 0 }

const is = (kind: "entry" | "tombstone", row: RowHead | undefined): boolean =>
  row !== undefined && (kind === "entry") === (row.body !== undefined)
