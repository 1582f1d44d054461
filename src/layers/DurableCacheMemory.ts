import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DurableCache } from "../services/DurableCache.ts"
import { Ledger } from "../services/Ledger.ts"
import type { Shard } from "../services/Shard.ts"
import * as DurableShards from "./internal/durableShards.ts"
import * as ShardHost from "./internal/shardHost.ts"
import { type Answer, recordRpc, type ShardMethod, type ShardReply } from "./internal/shardProtocol.ts"
import * as ShardMemory from "./ShardMemory.ts"

/**
 * Objects in the memory of this process, one per shard given. A call is counted as the RPC that it stands for, and
 * takes no time.
 *
 * @param operations what `flush` and `restore` do in the shard of that number
 */
export const make = (
  shards: ReadonlyArray<Shard["Type"]>,
  ledger: Ledger["Type"],
  operations: (shard: number) => ShardHost.ShardOperations = () => ShardHost.noOperations
): DurableCache["Type"] => {
  const hosts = shards.map((shard, number) => ShardHost.make(shard, { operations: operations(number) }))
  const counted = <M extends ShardMethod>(reply: Effect.Effect<ShardReply<Answer<M>>>) =>
    Effect.onExit(reply, (exit) =>
      Effect.sync(() => recordRpc(ledger, exit._tag === "Success" ? exit.value.billed : undefined))
    )
  return DurableShards.make((shard, method, ...args) => counted(hosts[shard]![method](...args)), shards.length)
}

/** @param count shards, at least one */
export const layer = (count = 1): Layer.Layer<DurableCache, never, Ledger> =>
  Layer.effect(
    DurableCache,
    Effect.map(Ledger, (ledger) =>
      make(
        Array.from({ length: count }, () => ShardMemory.make()),
        ledger
      )
    )
  )
