import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Random from "../../services/base/model/Random.ts"
import type { DurableCache } from "../../services/durable/DurableCache.ts"
import { makeActiveTime } from "../../services/durable/model/ActiveTime.ts"
import type { Shard } from "../../services/durable/Shard.ts"
import { KvInvocation, operationsPerInvocation } from "../../services/kv/KvInvocation.ts"
import type { Ledger } from "../../services/ledger/Ledger.ts"
import * as DurableLatency from "../../services/simulation/model/DurableLatency.ts"
import * as KvLatency from "../../services/simulation/model/KvLatency.ts"
import * as DurableShards from "../durable/durableShards.ts"
import * as ShardAlarm from "../durable/object/shardAlarm.ts"
import type { ShardCall } from "../durable/object/shardHandoff.ts"
import * as ShardHost from "../durable/object/shardHost.ts"
import {
  type Answer,
  recordRpc,
  type ShardMethod,
  type ShardReply,
  shardObjectName
} from "../durable/object/shardProtocol.ts"
import * as ShardMemory from "../durable/ShardMemory.ts"
import { kept } from "./VirtualTime.ts"

/** One object: what it keeps, and what it does besides. */
export interface SimulatedObject extends ShardAlarm.AlarmOptions {
  readonly shard: Shard["Type"]
  readonly operations: ShardHost.ShardOperations
  /** Done by every alarm after flush and sweep. Default: nothing. */
  readonly besides?: Effect.Effect<unknown>
}

export interface DurableWorldOptions {
  /** Two worlds with one seed, asked the same questions in the same order, take the same time. Default 1. */
  readonly seed?: number
  /** Default `assumed`: the round trips of services/DurableLatency.ts. */
  readonly latency?: "assumed" | "none"
}

export interface DurableWorld {
  /** The objects as a location reaches them. Locations are numbered from 0. */
  readonly at: (location: number) => DurableCache["Type"]
  /** Fires every dirty shard's alarm now instead of at its time, and writes into the ledger what alarms have cost. */
  readonly settle: Effect.Effect<void>
}

/**
 * Objects in virtual time; those of later generations are made when they are first called, and save nowhere. A call travels half its round trip, is done in no time, and travels back; calls arrive as
 * they were sent and as long as they took. Alarms fire on Effect's Clock, each with the KV operations of an invocation
 * of its own. Never failing, never overloaded, never restarted.
 */
export const makeWorld = (
  simulated: ReadonlyArray<SimulatedObject>,
  ledger: Ledger["Type"],
  { latency = "assumed", seed = 1 }: DurableWorldOptions = {}
): Effect.Effect<DurableWorld> =>
  Effect.map(Effect.runtime<never>(), (runtime) => {
    const random = Random.make(seed)
    const peers: ShardCall = (name, method, ...args) => hostOf(name)[method](...args)
    const hostOf = (name: string): ShardHost.ShardHost => objectOf(name).host
    const fork = Runtime.runFork(runtime)
    const objects = new Map(
      simulated.map((object, number) => [shardObjectName(number), makeObject(object, peers, fork)])
    )
    const objectOf = (name: string): ReturnType<typeof makeObject> => {
      let object = objects.get(name)
      if (object === undefined) {
        const { everyMillis, sweepRows } = simulated[0]!
        const fresh = { shard: ShardMemory.make(), operations: ShardHost.noOperations, everyMillis, sweepRows }
        object = makeObject(fresh, peers, fork)
        objects.set(name, object)
      }
      return object
    }

    const travelling = <A>(quantiles: KvLatency.Quantiles, answer: Effect.Effect<A>): Effect.Effect<A> =>
      Effect.suspend(() => {
        if (latency === "none") return answer
        const way = Effect.sleep(Duration.millis(KvLatency.millisAt(quantiles, random()) / 2))
        return Effect.zipLeft(Effect.zipRight(way, answer), way)
      })

    const active = makeActiveTime()
    const counted = <M extends ShardMethod>(name: string, reply: Effect.Effect<ShardReply<Answer<M>>>) =>
      Effect.flatMap(Clock.currentTimeMillis, (began) => {
        active.begin(name, began)
        return Effect.onExit(reply, (exit) =>
          Effect.map(Clock.currentTimeMillis, (now) =>
            recordRpc(ledger, exit._tag === "Success" ? exit.value.billed : undefined, active.end(name, now))
          )
        )
      })

    return {
      at: (location) => {
        const quantiles = DurableLatency.roundTrip(DurableLatency.medianAt(seed, location))
        return DurableShards.make(
          (name, method, ...args) => counted(name, travelling(quantiles, hostOf(name)[method](...args))),
          { generation: 0, shards: simulated.length }
        )
      },
      settle: Effect.forEach(
        objects.values(),
        ({ billed, finish }) =>
          Effect.zipRight(
            finish,
            Effect.map(billed, (since) => ledger.record({ tier: "durableObject", ...since }))
          ),
        { discard: true }
      )
    }
  })

// internal

const makeObject = (
  { besides = Effect.void, operations: given, shard, ...options }: SimulatedObject,
  peers: ShardCall,
  fork: (effect: Effect.Effect<void>) => void
) => {
  const operations: ShardHost.ShardOperations = { ...given, peers, goOn: Effect.suspend(() => host.goOn) }
  let due: number | null = null

  const storage: ShardAlarm.AlarmStorage = {
    getAlarm: () => kept(due),
    setAlarm: (at) => {
      due = at
      fork(ringAt(at))
      return kept(undefined)
    }
  }

  const alarm = ShardAlarm.make(storage, shard, operations, options)
  const host: ShardHost.OwnHost = ShardHost.make(shard, { ...alarm, operations })

  const fire = Effect.suspend(() => {
    due = null
    return Effect.provideService(Effect.zipRight(alarm.fire, besides), KvInvocation, {
      remaining: operationsPerInvocation
    })
  })

  /** An alarm that was set anew in the meantime does not fire. */
  const ringAt = (at: number): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.delay(
        Effect.suspend(() => (due === at ? Effect.asVoid(fire) : Effect.void)),
        Duration.millis(Math.max(0, at - now))
      )
    )

  return {
    host,
    finish: Effect.suspend(() => (shard.dirty() ? Effect.asVoid(fire) : Effect.void)),
    /** What a call that asks for nothing would be told. */
    billed: Effect.map(host.getMany([]), ({ billed }) => billed)
  }
}
