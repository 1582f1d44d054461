import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DurableCache } from "../services/DurableCache.ts"
import { Ledger } from "../services/Ledger.ts"
import * as DurableShards from "./internal/durableShards.ts"
import {
  type Answer,
  type Arguments,
  detached,
  objectName,
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
 * The objects behind a binding, one RPC each and none resent. A stub serves one call: after an error it is of no more
 * use, and it belongs to the request that made it. An abandoned call runs to its end by itself.
 */
export const make = (namespace: ShardNamespace, count: number, ledger: Ledger["Type"]): DurableCache["Type"] => {
  const call = async <M extends ShardMethod>(shard: number, method: M, args: Arguments<M>) => {
    let reply: (ShardReply<Answer<M>> & Partial<Disposable>) | undefined
    try {
      const stub = namespace.getByName(objectName(shard)) as ShardStub
      reply = await stub[method](...args)
      return reply as ShardReply<Answer<M>>
    } finally {
      recordRpc(ledger, reply?.billed)
      reply?.[Symbol.dispose]?.()
    }
  }
  const shards = DurableShards.make(
    (shard, method, ...args) => Effect.tryPromise({ try: () => call(shard, method, args), catch: (cause) => cause }),
    count
  )
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

/** @param count shards, at least one; the same everywhere, or ids are looked for where they are not */
export const layer = (namespace: ShardNamespace, count = 1): Layer.Layer<DurableCache, never, Ledger> =>
  Layer.effect(
    DurableCache,
    Effect.map(Ledger, (ledger) => make(namespace, count, ledger))
  )
