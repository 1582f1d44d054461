import { type RowVersion, tombstoneMillis } from "../../../services/durable/Shard.ts"
import type { makeChanges } from "./shardChanges.ts"
import type { makeMarks } from "./shardMarks.ts"
import type { RowHead, ShardRows } from "./shardRows.ts"

const pageRows = 1000

/**
 * Drops what is over, by a scan: an index by expiry would be billed with every write. A scan that came to its end
 * knows when the next row is due; until then there is nothing to look for.
 */
export const makeSweep = (
  rows: ShardRows,
  marks: ReturnType<typeof makeMarks>,
  changes: Pick<ReturnType<typeof makeChanges>, "resized">
) => {
  let nextDue = Number.NEGATIVE_INFINITY

  const dropMarks = (now: number): number => {
    let due = Number.POSITIVE_INFINITY
    for (const [tag, { wall }] of rows.marks()) {
      if (wall + tombstoneMillis <= now) marks.remove(tag)
      else due = Math.min(due, wall + tombstoneMillis)
    }
    return due
  }

  return {
    /** A row that was written may be due before all others. */
    expect: (row: Due): void => {
      nextDue = marks.endsEntry(row) ? Number.NEGATIVE_INFINITY : Math.min(nextDue, dueOf(row))
    },
    expectAtOnce: (): void => {
      nextDue = Number.NEGATIVE_INFINITY
    },
    /** Marks go after the last row that they ended, and too late for an outside write they would end. */
    run: (limit: number, now: number): number => {
      if (now < nextDue) return 0
      let dropped = 0
      let due = Number.POSITIVE_INFINITY
      let after: string | undefined
      for (;;) {
        const page = rows.page("", after, pageRows)
        for (const row of page) {
          if (dueOf(row) > now && !marks.endsEntry(row)) {
            due = Math.min(due, dueOf(row))
            continue
          }
          if (dropped === limit) return dropped
          rows.remove(row)
          changes.resized(row, undefined)
          dropped += 1
        }
        if (page.length < pageRows) break
        after = page.at(-1)!.id
      }
      nextDue = Math.min(due, dropMarks(now))
      return dropped
    }
  }
}

type Due = Pick<RowHead, "body" | "deletedAt"> & RowVersion

const dueOf = ({ body, deletedAt }: Due): number => body?.expiresAt ?? deletedAt + tombstoneMillis
