import * as Effect from "effect/Effect"
import {
  type ImageSource,
  type Shard,
  type ShardImage,
  type ShardRow,
  summaryOf
} from "../../../src/services/durable/Shard.ts"
import type { Snapshots } from "../../../src/services/snapshots/Snapshots.ts"
import type { Stamp } from "../../../src/services/store/model/Entry.ts"

/** An image in memory as one that is taken row by row. */
export const sourceOf = ({ rows, tags }: ShardImage): ImageSource => {
  const byId = new Map(rows.map((row) => [row.id, row]))
  return {
    tags,
    summaries: rows.map(summaryOf),
    only: () => {},
    take: (ids) => ids.map((id) => byId.get(id)!)
  }
}

/** All that is in a shard now. */
export const imageIn = (shard: Pick<Shard["Type"], "capture">): ShardImage => {
  const { close, summaries, tags, take } = shard.capture()
  const rows = take(summaries.map(({ id }) => id))
  close()
  return { rows, tags }
}

/** The newest snapshot as one image. */
export const loaded = (snapshots: Snapshots["Type"], shard: string) => {
  const rows: Array<ShardRow> = []
  const tags = new Map<string, Stamp>()
  return Effect.map(
    snapshots.load(shard, (part) =>
      Effect.sync(() => {
        rows.push(...part.rows)
        for (const [tag, mark] of part.tags) tags.set(tag, mark)
      })
    ),
    (found): ShardImage | undefined => (found ? { rows, tags } : undefined)
  )
}
