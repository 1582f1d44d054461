import * as Effect from "effect/Effect"
import type { ImageSource, Shard, ShardImage, ShardRow } from "../../../src/services/durable/Shard.ts"
import { compareUtf8 } from "../../../src/services/kv/model/KvPaging.ts"
import * as Segment from "../../../src/services/snapshots/model/Segment.ts"
import type { Snapshots } from "../../../src/services/snapshots/Snapshots.ts"
import { compareStamps, type Stamp } from "../../../src/services/store/model/Entry.ts"

const bytesOf = ({ body, id }: ShardRow): number =>
  Segment.rowBytes({ id, bytes: body === undefined ? 0 : body.value.byteLength })

/** An image that never changes, of a shard that was never saved before. */
export const sourceOf = (image: ShardImage): ImageSource => {
  const rows = [...image.rows].sort((a, b) => compareUtf8(a.id, b.id))
  const marks = [...image.tags].sort(([a], [b]) => compareUtf8(a, b))
  return {
    saved: () => undefined,
    tracked: () => false,
    whole: (bytes) => (rows.reduce((sum, row) => sum + bytesOf(row), 0) > bytes ? undefined : { ...image, mark: 0 }),
    changes: () => ({ rows: [], tags: new Map(), mark: 0 }),
    begin: () => 1,
    rowsAfter: (after, bytes) => {
      const page: Array<ShardRow> = []
      let size = 0
      for (const row of rows) {
        if ((after !== "" && compareUtf8(row.id, after) <= 0) || size > bytes) continue
        page.push(row)
        size += bytesOf(row)
      }
      return { rows: page, last: page.at(-1)?.id }
    },
    marksAfter: (after, limit) =>
      marks.filter(([tag]) => after === undefined || compareUtf8(tag, after) > 0).slice(0, limit),
    changedIds: () => [],
    changedMarks: () => new Map(),
    read: () => [],
    commit: () => {}
  }
}

/** All that counts in a shard now, whenever it expires. */
export const imageIn = ({ source }: Pick<Shard["Type"], "source">): ShardImage => {
  const rows: Array<ShardRow> = []
  for (let after = ""; ; ) {
    const page = source.rowsAfter(after, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
    rows.push(...page.rows)
    if (page.last === undefined) break
    after = page.last
  }
  return { rows, tags: new Map(source.marksAfter(undefined, Number.MAX_SAFE_INTEGER)) }
}

/** As if a snapshot of all there is now were safe. */
export const cleaned = ({ source }: Pick<Shard["Type"], "source">): void =>
  source.commit(source.whole(Number.POSITIVE_INFINITY, 0)!.mark, source.saved(), "none")

/** The newest snapshot as one image. */
export const loaded = (snapshots: Pick<Snapshots["Type"], "load">, shard: string) => {
  const rows = new Map<string, ShardRow>()
  const tags = new Map<string, Stamp>()
  return Effect.map(
    snapshots.load(shard, (part) =>
      Effect.sync(() => {
        for (const row of part.rows) {
          const known = rows.get(row.id)
          if (known === undefined || compareStamps(row.version, known.version) > 0) rows.set(row.id, row)
        }
        for (const [tag, mark] of part.tags) {
          const known = tags.get(tag)
          if (known === undefined || compareStamps(mark, known) > 0) tags.set(tag, mark)
        }
      })
    ),
    (found): ShardImage | undefined => (found ? { rows: [...rows.values()], tags } : undefined)
  )
}
