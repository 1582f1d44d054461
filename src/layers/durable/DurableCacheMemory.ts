import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DurableCache } from "../../services/durable/DurableCache.ts"
import type { Shard } from "../../services/durable/Shard.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import * as DurableShards from "./durableShards.ts"
import type { ShardCall } from "./object/shardHandoff.ts"
import * as ShardHost from "./object/shardHost.ts"
import { type Answer, recordRpc, type ShardMethod, type ShardReply, shardObjectName } from "./object/shardProtocol.ts"
import * as ShardMemory from "./ShardMemory.ts"

/**
 * Objects in the memory of this process: one per shard given, and those of later generations, made when they are first
 * called. A call is counted as the RPC that it stands for, and takes no time.
 *
 * @param operations what `flush` and `restore` do in the shard of that number
 */
export const calls = (
  shards: ReadonlyArray<Shard["Type"]>,
  ledger: Ledger["Type"],
  operations: (shard: number) => ShardHost.ShardOperations = () => ShardHost.noOperations
): ShardCall => {
  const peers: ShardCall = (name, method, ...args) => hostOf(name)[method](...args)
  const hosts = new Map<string, ShardHost.ShardHost>(
    shards.map((shard, number) => [
      shardObjectName(number),
      ShardHost.make(shard, { operations: { ...operations(number), peers } })
    ])
  )
  const hostOf = (name: string): ShardHost.ShardHost => {
    let host = hosts.get(name)
    if (host === undefined) {
      host = ShardHost.make(ShardMemory.make(), { operations: { ...ShardHost.noOperations, peers } })
      hosts.set(name, host)
    }
    return host
  }
  const counted = <M extends ShardMethod>(reply: Effect.Effect<ShardReply<Answer<M>>>) =>
    Effect.onExit(reply, (exit) =>
      Effect.sync(() => recordRpc(ledger, exit._tag === "Success" ? exit.value.billed : undefined))
    )
  return (name, method, ...args) => counted(hostOf(name)[method](...args))
}

/** The same objects as one. */
export const make = (...args: Parameters<typeof calls>): DurableCache["Type"] =>
  DurableShards.make(calls(...args), { generation: 0, shards: args[0].length })

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
