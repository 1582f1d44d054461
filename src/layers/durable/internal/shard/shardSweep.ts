import { type RowVersion, type ShardSwept, tombstoneMillis } from "../../../../services/durable/Shard.ts"
import type { makeMarks } from "./shardMarks.ts"
import type { RowHead, ShardRows } from "./shardRows.ts"

const pageRows = 1000

/** Rows that one run looks at, for each that it may drop. */
const looksPerDrop = 20

const never = Number.POSITIVE_INFINITY

/** Rows that a scan reads for the price of one written: what a longer one has found out outlives the object's life. */
const worthNoting = 1000

/** The note is that much too early at most, so that writes whose ends are near each other change it once. */
const noteMillis = 600_000

/**
 * Drops what is over, by a scan: an index by expiry would be billed with every write. A run goes on where the one before
 * stopped; a scan that came to its end knows when the next row is due, and until then there is nothing to look for, in
 * a later life either.
 *
 * @param drop removes a row
 */
export const makeSweep = (
  rows: ShardRows,
  marks: ReturnType<typeof makeMarks>,
  drop: (row: RowHead, now: number) => void
) => {
  /** Undefined where only the note may know it. */
  let nextDue: number | undefined
  /** What the note says; undefined as long as it was not read. */
  let noted: number | "nothing" | undefined
  let scanned = 0
  /** Where the scan under way is, and when the next of the rows is due that it has passed. */
  let after: string | undefined
  let passedDue = never

  const dropMarks = (now: number): number => {
    let due = never
    let last: string | undefined
    for (;;) {
      const page = rows.marksAfter(last, pageRows)
      for (const [tag, { wall }] of page) {
        if (wall + tombstoneMillis <= now) marks.remove(tag)
        else due = Math.min(due, wall + tombstoneMillis)
        last = tag
      }
      if (page.length < pageRows) return due
    }
  }

  const readNote = (): number | "nothing" => {
    if (noted !== undefined) return noted
    const note = rows.note("due") as { readonly at: number | null } | undefined
    noted = note === undefined ? "nothing" : (note.at ?? never)
    return noted
  }

  const saveNote = (due: number): void => {
    const at = due === never ? never : Math.max(0, Math.floor(due / noteMillis) * noteMillis)
    if (noted === at) return
    rows.saveNote("due", { at: at === never ? null : at })
    noted = at
  }

  const expected = (): number => {
    if (nextDue === undefined) {
      const note = readNote()
      nextDue = note === "nothing" ? Number.NEGATIVE_INFINITY : note
    }
    return nextDue
  }

  const expectBy = (due: number): void => {
    passedDue = Math.min(passedDue, due)
    if (due >= expected()) return
    nextDue = due
    const note = readNote()
    if (note !== "nothing" && due < note) saveNote(due)
  }

  const ended = (due: number): void => {
    nextDue = due
    if (scanned > worthNoting || readNote() !== "nothing") saveNote(due)
    scanned = 0
  }

  return {
    /** A row that was written may be due before all others. */
    expect: (row: Due): void => expectBy(marks.endsEntry(row) ? Number.NEGATIVE_INFINITY : dueOf(row)),
    expectAtOnce: (): void => expectBy(Number.NEGATIVE_INFINITY),
    /** A transaction has failed: what is known may not be so. */
    forget: (): void => {
      nextDue = Number.NEGATIVE_INFINITY
      passedDue = Number.NEGATIVE_INFINITY
      noted = undefined
    },
    /** Marks go after the last row that they ended, and too late for an outside write they would end. */
    run: (limit: number, now: number): ShardSwept => {
      if (now < expected()) return { dropped: 0, next: expected() }
      let dropped = 0
      if (after === undefined) passedDue = never
      for (let looked = 0; looked < looksPerDrop * limit; ) {
        const page = rows.page("", after, Math.min(pageRows, looksPerDrop * limit - looked))
        for (const row of page) {
          if (dueOf(row) > now && !marks.endsEntry(row)) passedDue = Math.min(passedDue, dueOf(row))
          else if (dropped === limit) return { dropped, next: now }
          else {
            drop(row, now)
            dropped += 1
          }
          after = row.id
        }
        looked += page.length
        scanned += page.length
        if (page.length === 0 || (page.length < pageRows && looked < looksPerDrop * limit)) {
          const due = Math.min(passedDue, dropMarks(now))
          after = undefined
          ended(due)
          return { dropped, next: due }
        }
      }
      return { dropped, next: now }
    }
  }
}

type Due = Pick<RowHead, "id" | "body" | "deletedAt"> & RowVersion

const dueOf = ({ body, deletedAt }: Due): number => body?.expiresAt ?? deletedAt + tombstoneMillis
