import type { RowSummary, ShardCapture, ShardRow } from "../../../services/durable/Shard.ts"
import type { ShardRows } from "./shardRows.ts"

interface Capture {
  /** Ids that are still to be taken. */
  wanted: Set<string>
  /** Those of them that have changed, as they were. */
  readonly kept: Map<string, ShardRow>
}

/**
 * Captures of a shard's rows: who changes a row through `rows` puts the one before aside for every capture that has not
 * taken it yet. Memory is that of the changes, not of the rows.
 */
export const makeCaptures = (
  kept: ShardRows
): { readonly rows: ShardRows; readonly capture: (mark: number) => ShardCapture } => {
  const open = new Set<Capture>()

  const putAside = ({ id }: Pick<RowSummary, "id">): void => {
    for (const capture of open) {
      if (!capture.wanted.has(id) || capture.kept.has(id)) continue
      capture.kept.set(id, kept.read(id)!)
    }
  }

  return {
    rows: {
      ...kept,
      write: (row, before) => {
        if (before !== undefined) putAside(row)
        kept.write(row, before)
      },
      remove: (row) => {
        putAside(row)
        kept.remove(row)
      }
    },
    capture: (mark) => {
      const summaries = kept.summaries()
      const capture: Capture = { wanted: new Set(summaries.map(({ id }) => id)), kept: new Map() }
      open.add(capture)
      return {
        mark,
        tags: kept.marks(),
        summaries,
        only: (ids) => {
          const wanted = new Set(ids)
          for (const id of capture.kept.keys()) if (!wanted.has(id)) capture.kept.delete(id)
          capture.wanted = wanted
        },
        take: (ids) =>
          ids.map((id) => {
            const row = capture.kept.get(id) ?? kept.read(id)!
            capture.wanted.delete(id)
            capture.kept.delete(id)
            return row
          }),
        close: () => {
          open.delete(capture)
          capture.kept.clear()
        }
      }
    }
  }
}
