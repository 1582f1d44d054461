import type { ShardStats } from "../../../../services/durable/Shard.ts"
import type { RowHead, ShardRows, ShardSize, ShardState } from "./shardRows.ts"
import { makeTracking } from "./shardTracking.ts"

/** Reads that may go uncounted when the object is evicted; one row is written for so many. */
const readsPerSave = 10_000

/**
 * What a shard knows of its own history: whether and where it changed since its last snapshot, and its counts. The state
 * row is written at the end of a transaction in which the flag turned or another range of ids changed, and with it the
 * counts; those of reads alone once in a while.
 *
 * @param base marks begin here; drawn anew in every life, so that a mark of an earlier one cleans nothing
 */
export const makeChanges = (rows: ShardRows, base: number) => {
  const past = { ...nothingYet, ...rows.load() }
  const tracking = makeTracking(rows, past.tracked)
  let { conflicts, hits, reads, saved } = past
  let flagged = past.dirty
  let unsaved = false
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
    const counts = { rowsRead, rowsWritten: rowsWritten + 1, hits, reads, conflicts }
    rows.save({ dirty: flagged, ...counts, tracked: tracking.state(), saved })
    savedReads = reads
    unsaved = false
  }

  return {
    tracking,
    saved: () => saved,
    /** Something that a snapshot would show: under this id, or all of it. */
    changed: (kind?: "rows" | "marks", id?: string): void => {
      made += 1
      const isElsewhere = kind !== undefined && tracking.touch(kind, id!)
      if (!flagged || isElsewhere) unsaved = true
      flagged = true
    },
    /** At the end of a transaction. */
    settle: (): void => {
      if (unsaved) save()
    },
    billed,
    dirty: () => flagged,
    mark: () => made,
    /** A snapshot of what there was at the mark is safe; `next` is what its saver has to remember. */
    clean: (mark: number, next: unknown): void => {
      if (mark < base || mark > made) return
      captured = Math.max(captured, mark)
      const isDirty = flagged && captured < made
      if (isDirty === flagged && next === saved) return
      saved = next
      flagged = isDirty
      unsaved = true
    },
    save,
    /** To be called before a transaction; what it returns, when the transaction has failed. */
    begin: () => {
      const [before, wasUnsaved] = [flagged, unsaved]
      const undo = tracking.beginTransaction()
      return () => {
        flagged = before
        unsaved = wasUnsaved
        size = undefined
        undo()
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
