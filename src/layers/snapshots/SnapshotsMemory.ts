import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ShardImage } from "../../services/durable/Shard.ts"
import { Snapshots } from "../../services/snapshots/Snapshots.ts"

/** Snapshots in a Map, for tests and replays. */
export const make = (): Context.Tag.Service<Snapshots> => {
  const newest = new Map<string, ShardImage>()
  return {
    save: (shard, { summaries, tags, take }) =>
      Effect.sync(() => {
        newest.set(shard, { rows: take(summaries.map(({ id }) => id)), tags: new Map(tags) })
      }),
    load: (shard, take) =>
      Effect.suspend(() => {
        const image = newest.get(shard)
        return image === undefined ? Effect.succeed(false) : Effect.as(take(image), true)
      }),
    open: (shard) =>
      Effect.sync(() => {
        const image = newest.get(shard)
        return image && { tags: image.tags, find: (id) => Effect.sync(() => image.rows.find((row) => row.id === id)) }
      }),
    marks: (shard) => Effect.sync(() => newest.get(shard)?.tags ?? new Map())
  }
}

export const layer: Layer.Layer<Snapshots> = Layer.sync(Snapshots, make)
