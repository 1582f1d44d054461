import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { BreakerLimits } from "../../services/base/model/Breaker.ts"
import { DurableCache } from "../../services/durable/DurableCache.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { Monitor, type MonitorService, off } from "../../services/monitoring/Monitor.ts"
import type { Carried, CarriedReply } from "../../services/monitoring/model/Carried.ts"
import * as DurableShards from "./durableShards.ts"
import { deadlineOf, guarded } from "./guardedCalls.ts"
import { billedRpc, type ShardNamespace } from "./object/billedRpc.ts"
import type { ShardCall } from "./object/shardHandoff.ts"
import {
  type Answer,
  type Arguments,
  detached,
  type ShardMethod,
  type ShardReply,
  shardObjectName
} from "./object/shardProtocol.ts"

type Replied<M extends ShardMethod> = ShardReply<Answer<M>> & Partial<Disposable> & { readonly settled?: CarriedReply }

/** The methods of a shard's object, as its stub has them. */
type ShardStub = { readonly [M in ShardMethod]: (...args: Arguments<M>) => Promise<Replied<M>> } & {
  readonly carrying: <M extends ShardMethod>(along: Carried, method?: M, args?: Arguments<M>) => Promise<Replied<M>>
}

export type { ShardNamespace }

/**
 * Calls of the objects behind a binding, one RPC each and none resent. A stub serves one call: after an error it is of
 * no more use, and it belongs to the request that made it. An abandoned call runs to its end by itself.
 *
 * @param monitor tells the first object what it counted, with calls to that
 */
export const calls = (namespace: ShardNamespace, ledger: Ledger["Type"], monitor: MonitorService = off): ShardCall => {
  let keepsFigures = true
  const call = async <M extends ShardMethod>(name: string, ask: (stub: ShardStub) => Promise<Replied<M>>) => {
    const reply = await billedRpc(namespace, ledger, name, ask)
    if (reply.settled !== undefined) monitor.settled(reply.settled)
    reply[Symbol.dispose]?.()
    return reply as ShardReply<Answer<M>>
  }
  return <M extends ShardMethod>(name: string, method: M, ...args: Arguments<M>) =>
    Effect.clockWith((clock) => {
      const along =
        keepsFigures && name === shardObjectName(0) ? monitor.next(clock.unsafeCurrentTimeMillis(), "along") : undefined
      const plain = (stub: ShardStub): Promise<Replied<M>> =>
        (stub as { readonly [K in M]: (...args: Arguments<M>) => Promise<Replied<M>> })[method](...args)
      const ask = async (stub: ShardStub): Promise<Replied<M>> => {
        if (along === undefined) return await plain(stub)
        try {
          return await stub.carrying(along, method, args)
        } catch (cause) {
          if (!isUnknownMethod(cause)) throw cause
          keepsFigures = false
          return plain(namespace.getByName(name) as ShardStub)
        }
      }
      return Effect.tryPromise({ try: () => call(name, ask), catch: (cause) => cause })
    })
}

/** Of an object whose class keeps no figures, or whose code is older than this isolate's: nothing was done there. */
const isUnknownMethod = (cause: unknown): boolean =>
  cause instanceof TypeError && /does not implement/.test(cause.message)

export interface RequestLimits {
  /** How long a call may take that carries less than a megabyte; every megabyte makes it a second longer. */
  readonly deadline: Duration.Duration
  /** Of each object. */
  readonly breaker: BreakerLimits
}

/**
 * The objects behind a binding as one.
 *
 * @param count shards of the first generation, at least one; the same everywhere, and for good
 * @param limits of every call; none where who calls has time, as an object's alarm has
 */
export const make = (
  namespace: ShardNamespace,
  count: number,
  ledger: Ledger["Type"],
  limits?: RequestLimits,
  monitor?: MonitorService
): DurableCache["Type"] => {
  const unlimited = calls(namespace, ledger, monitor)
  const call =
    limits === undefined ? unlimited : guarded(unlimited, { ...limits, deadline: deadlineOf(limits.deadline) })
  const shards = DurableShards.make(call, { generation: 0, shards: count }, limits && deadlineOf(limits.deadline))
  return {
    ...shards,
    apply: (writes, tries) =>
      Effect.suspend(() =>
        shards.apply(
          writes.map((write) => (write.body === undefined ? write : { ...write, body: detached(write.body) })),
          tries
        )
      )
  }
}

export const layer = (
  namespace: ShardNamespace,
  count = 1,
  limits?: RequestLimits
): Layer.Layer<DurableCache, never, Ledger> =>
  Layer.effect(
    DurableCache,
    Effect.map(Effect.all([Ledger, Monitor]), ([ledger, monitor]) => make(namespace, count, ledger, limits, monitor))
  )
