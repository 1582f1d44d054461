import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DurableCache } from "../../services/durable/DurableCache.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import * as DurableShards from "./internal/durableShards.ts"
import type { ShardCall } from "./internal/shardHandoff.ts"
import {
  type Answer,
  type Arguments,
  detached,
  recordRpc,
  type ShardMethod,
  type ShardReply
} from "./internal/shardProtocol.ts"

/** The methods of a shard's object, as its stub has them. */
type ShardStub = {
  readonly [M in ShardMethod]: (...args: Arguments<M>) => Promise<ShardReply<Answer<M>> & Partial<Disposable>>
}

/** The part of the binding that is used. */
export interface ShardNamespace {
  readonly getByName: (name: string) => unknown
}

/**
 * Calls of the objects behind a binding, one RPC each and none resent. A stub serves one call: after an error it is of
 * no more use, and it belongs to the request that made it. An abandoned call runs to its end by itself.
 */
export const calls = (namespace: ShardNamespace, ledger: Ledger["Type"]): ShardCall => {
  const call = async <M extends ShardMethod>(name: string, method: M, args: Arguments<M>) => {
    let reply: (ShardReply<Answer<M>> & Partial<Disposable>) | undefined
    try {
      const stub = namespace.getByName(name) as ShardStub
      reply = await stub[method](...args)
      return reply as ShardReply<Answer<M>>
    } finally {
      recordRpc(ledger, reply?.billed)
      reply?.[Symbol.dispose]?.()
    }
  }
  return (name, method, ...args) => Effect.tryPromise({ try: () => call(name, method, args), catch: (cause) => cause })
}

/** The objects behind a binding as one. */
export const make = (namespace: ShardNamespace, count: number, ledger: Ledger["Type"]): DurableCache["Type"] => {
  const shards = DurableShards.make(calls(namespace, ledger), { generation: 0, shards: count })
  return {
    ...shards,
    apply: (writes) =>
      Effect.suspend(() =>
        shards.apply(
          writes.map((write) => (write.body === undefined ? write : { ...write, body: detached(write.body) }))
        )
      )
  }
}

/** @param count shards of the first generation, at least one; the same everywhere, and for good */
export const layer = (namespace: ShardNamespace, count = 1): Layer.Layer<DurableCache, never, Ledger> =>
  Layer.effect(
    DurableCache,
    Effect.map(Ledger, (ledger) => make(namespace, count, ledger))
  )
