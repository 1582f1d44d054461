import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ShardImage } from "../../services/durable/Shard.ts"
import { Snapshots } from "../../services/snapshots/Snapshots.ts"

/** The two newest snapshots of each shard in a Map, for tests and replays. */
export const make = (): Context.Tag.Service<Snapshots> => {
  const kept = new Map<string, ReadonlyArray<ShardImage>>()
  const newest = (shard: string) => kept.get(shard)?.[0]
  return {
    save: (shard, source, now) =>
      Effect.sync(() => {
        const { mark, rows, tags } = source.whole(Number.POSITIVE_INFINITY, now)!
        kept.set(shard, [{ rows, tags: new Map(tags) }, ...(kept.get(shard) ?? [])].slice(0, 2))
        source.commit(mark, undefined, "none")
      }),
    load: (shard, take, which = "newest") =>
      Effect.suspend(() => {
        const images = kept.get(shard) ?? []
        const image = which === "newest" ? images[0] : (images[1] ?? images[0])
        return image === undefined ? Effect.succeed(false) : Effect.as(take(image), true)
      }),
    open: (shard) =>
      Effect.sync(() => {
        const image = newest(shard)
        return image && { tags: image.tags, find: (id) => Effect.sync(() => image.rows.find((row) => row.id === id)) }
      }),
    marks: (shard) => Effect.sync(() => newest(shard)?.tags ?? new Map())
  }
}

export const layer: Layer.Layer<Snapshots> = Layer.sync(Snapshots, make)
