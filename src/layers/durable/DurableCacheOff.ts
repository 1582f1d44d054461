import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DurableCache, DurableCacheError } from "../../services/durable/DurableCache.ts"

/** No objects: finds nothing, takes no write, and says so. */
export const layer: Layer.Layer<DurableCache> = Layer.succeed(DurableCache, {
  getMany: (ids) => Effect.succeed(ids.map(() => undefined)),
  lease: () => Effect.succeed({ _tag: "Busy" }),
  release: () => Effect.void,
  apply: (writes) =>
    Effect.succeed(writes.map(() => new DurableCacheError({ operation: "apply", reason: "Unavailable" }))),
  invalidateTags: (_, stamp) => Effect.succeed(stamp),
  list: () => Effect.succeed([]),
  clear: (_, stamp) => Effect.succeed(stamp),
  stats: Effect.succeed({ shards: [], missing: [] }),
  flush: Effect.succeed(0),
  restore: () => Effect.succeed(0),
  objectOf: () => "",
  enabled: false
})
