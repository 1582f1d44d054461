import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ShardImage } from "../services/Shard.ts"
import { Snapshots } from "../services/Snapshots.ts"

/** Snapshots in a Map, for tests and replays. */
export const make = (): Context.Tag.Service<Snapshots> => {
  const newest = new Map<string, ShardImage>()
  return {
    save: (shard, image) =>
      Effect.sync(() => {
        newest.set(shard, { rows: [...image.rows], tags: new Map(image.tags) })
      }),
    load: (shard) => Effect.sync(() => newest.get(shard)),
    marks: (shard) => Effect.sync(() => newest.get(shard)?.tags ?? new Map())
  }
}

export const layer: Layer.Layer<Snapshots> = Layer.sync(Snapshots, make)
