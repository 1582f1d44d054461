import * as Effect from "effect/Effect"
import type { ShardOperations } from "../../../src/layers/durable/object/shardHost.ts"
import type { Shard } from "../../../src/services/durable/Shard.ts"
import { cleaned } from "../snapshots/wholeImages.ts"

/** A flush that saves nowhere and a restore that counts to seven. */
export const operationsOf = (shard: Shard["Type"]): ShardOperations => ({
  flush: Effect.sync(() => {
    if (!shard.dirty()) return false
    cleaned(shard)
    return true
  }),
  restore: () => Effect.succeed(7)
})
