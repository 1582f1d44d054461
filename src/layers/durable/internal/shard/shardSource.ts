import type { CapturedImage, ImageSource, ShardRow } from "../../../../services/durable/Shard.ts"
import type { Stamp } from "../../../../services/store/model/Entry.ts"
import { tagBytes } from "../../../../services/store/model/EntryBytes.ts"
import type { makeChanges } from "./shardChanges.ts"
import type { RowHead, ShardRows } from "./shardRows.ts"

const pageRows = 1000

const bytesOfHead = ({ body, bytes, id }: RowHead): number => bytes + id.length + tagBytes(body?.tags ?? [])

/**
 * What snapshots are made from.
 *
 * @param counts whether a row still does
 */
export const makeSource = (
  rows: ShardRows,
  changes: ReturnType<typeof makeChanges>,
  transaction: <A>(body: () => A) => A,
  counts: (row: RowHead, now: number) => boolean
): ImageSource => {
  const { tracking } = changes

  /** Heads of what changed, range by range. */
  function* changedHeads(after?: number) {
    for (const [from, to] of tracking.dirtyRanges("rows")) yield* rows.changedIn(from, to, tracking.least(after))
  }

  const changedMarks = (after?: number): Map<string, Stamp> =>
    new Map(
      tracking.dirtyRanges("marks").flatMap(([from, to]) => [...rows.changedMarksIn(from, to, tracking.least(after))])
    )

  const capture = (heads: Iterable<RowHead>, tags: Map<string, Stamp>, bytes: number): CapturedImage | undefined => {
    const captured: Array<ShardRow> = []
    let size = 0
    for (const head of heads) {
      size += bytesOfHead(head)
      if (size > bytes) return undefined
      captured.push(rows.read(head.id)!)
    }
    return { mark: changes.mark(), rows: captured, tags }
  }

  function* livingHeads(now: number) {
    for (let after: string | undefined; ; ) {
      const page = rows.page("", after, pageRows)
      for (const head of page) if (counts(head, now)) yield head
      if (page.length < pageRows) return
      after = page.at(-1)!.id
    }
  }

  return {
    saved: changes.saved,
    tracked: tracking.tracked,
    whole: (bytes, now) => {
      const tags = new Map(rows.marksAfter(undefined, pageRows))
      return tags.size === pageRows ? undefined : capture(livingHeads(now), tags, bytes)
    },
    changes: (bytes, after) => capture(changedHeads(after), changedMarks(after), bytes),
    begin: () =>
      transaction(() => {
        const epoch = tracking.begin()
        changes.save()
        return epoch
      }),
    rowsAfter: (after, bytes, now) => {
      const found: Array<ShardRow> = []
      let [size, last] = [0, undefined as string | undefined]
      for (const head of rows.page("", after, pageRows)) {
        if (size > bytes) break
        last = head.id
        tracking.passed("rows", head.id)
        if (!counts(head, now)) continue
        size += bytesOfHead(head)
        found.push(rows.read(head.id)!)
      }
      return { rows: found, last }
    },
    changedIds: () => [...changedHeads()].map((head) => ({ id: head.id, bytes: bytesOfHead(head) - head.id.length })),
    changedMarks: () => changedMarks(),
    read: (ids) => ids.flatMap((id) => rows.read(id) ?? []),
    marksAfter: (after, limit) => {
      const page = rows.marksAfter(after, limit)
      for (const [tag] of page) tracking.passed("marks", tag)
      return page
    },
    commit: (mark, saved, base) =>
      transaction(() => {
        if (base === "none") tracking.forget()
        else if (base !== undefined) tracking.commit(base.epoch, base.isWhole)
        else tracking.abandon()
        changes.clean(mark, saved)
      })
  }
}
