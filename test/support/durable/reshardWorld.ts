import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as DurableShards from "../../../src/layers/durable/durableShards.ts"
import { makeSteps } from "../../../src/layers/durable/internal/reshardSteps.ts"
import type { ShardCall } from "../../../src/layers/durable/object/shardHandoff.ts"
import * as ShardHost from "../../../src/layers/durable/object/shardHost.ts"
import * as ShardRecovery from "../../../src/layers/durable/object/shardRecovery.ts"
import * as RecordedTopologyKv from "../../../src/layers/durable/RecordedTopologyKv.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as OutboxMemory from "../../../src/layers/snapshots/OutboxMemory.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import { recoverShard } from "../../../src/programs/durable/recoverShard.ts"
import { type ReshardOptions, reshardDurable } from "../../../src/programs/durable/reshardDurable.ts"
import * as FlushShard from "../../../src/programs/snapshots/flushShard.ts"
import * as RestoreShard from "../../../src/programs/snapshots/restoreShard.ts"
import { type ObjectPlace, objectName, ownerOf, placesOf } from "../../../src/services/durable/model/Topology.ts"
import { RecordedTopology } from "../../../src/services/durable/RecordedTopology.ts"
import { Resharding } from "../../../src/services/durable/Resharding.ts"
import { Shard } from "../../../src/services/durable/Shard.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import { Snapshots } from "../../../src/services/snapshots/Snapshots.ts"

/** What becomes of one RPC, and how long it is on its way there and back, in milliseconds. */
export interface Fate {
  readonly kind: "done" | "before" | "after"
  readonly there: number
  readonly back: number
}

interface Instance {
  readonly shard: Shard["Type"]
  readonly host: ShardHost.OwnHost
  readonly died: Deferred.Deferred<never, Error>
}

/**
 * Objects of every generation over what outlives them, and the wires between everybody. Made in virtual time.
 *
 * @param fate of the next RPC, no matter who makes it
 * @param skewOf by how many milliseconds an object's clock is ahead
 */
export const make = (
  first: number,
  options: {
    readonly fate?: () => Fate
    readonly fault?: KvFaulty.FaultPlan
    readonly skewOf?: (place: ObjectPlace) => number
  } = {}
) =>
  Effect.gen(function* () {
    const { fate = () => ({ kind: "done", there: 0, back: 0 }), fault = () => undefined, skewOf = () => 0 } = options
    const clock = yield* Clock.clockWith(Effect.succeed)
    const namespace = KvMemory.make()
    const kv = KvFaulty.make(namespace, fault)
    const snapshots = SnapshotsKv.make(kv)
    const recorded = RecordedTopologyKv.make(kv)
    const outbox = OutboxMemory.make()
    const ledger = LedgerMemory.make(0)
    const disks = new Map<string, ReturnType<typeof ShardMemory.disk>>()
    /** Those that their objects have recovered. */
    const settled = new WeakSet<object>()
    const objects = new Map<string, Instance>()
    const calls: Array<string> = []

    const placeOf = (name: string): ObjectPlace => {
      const [, generation = 0, shard] = /^shard-(?:(\d+)\.)?(\d+)$/.exec(name)!
      return { generation: Number(generation), shard: Number(shard) }
    }

    const clockOf = (name: string): Clock.Clock => {
      const skew = skewOf(placeOf(name))
      return {
        ...clock,
        sleep: (duration) => clock.sleep(duration),
        unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + skew,
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + skew)
      }
    }

    /** An object over its disk, as it is after a restart. */
    const start = (name: string): Effect.Effect<Instance> =>
      Effect.gen(function* () {
        const disk = disks.get(name) ?? ShardMemory.disk()
        disks.set(name, disk)
        const shard = ShardMemory.make(disk)
        const place = placeOf(name)
        const provided = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
          effect.pipe(
            Effect.provideService(Shard, shard),
            Effect.provideService(Snapshots, snapshots),
            Effect.provideService(Outbox, outbox),
            Effect.provideService(RecordedTopology, recorded)
          ) as Effect.Effect<A, E>
        const flush = yield* provided(FlushShard.make(name))
        const snapshot = yield* provided(RestoreShard.fromSnapshot(name))
        const died = yield* Deferred.make<never, Error>()
        const outboxOf = (own: Parameters<typeof ownerOf>[0]) =>
          Effect.flatten(provided(RestoreShard.fromOutbox((id) => objectName(ownerOf(own, id)) === name)))
        const recovery = ShardRecovery.make(
          (onKnown) =>
            Effect.map(provided(recoverShard(place, first, { snapshot, outbox: outboxOf }, onKnown)), ({ forGood }) => {
              if (forGood) settled.add(disk)
            }).pipe(Effect.withClock(clockOf(name))),
          () => settled.has(disk)
        )
        const host = ShardHost.make(shard, { operations: { ...ShardHost.noOperations, flush, recovery, peers: call } })
        const instance = { shard, host, died }
        objects.set(name, instance)
        yield* Effect.ignore(recovery.attempt)
        return instance
      })

    const arrive: ShardCall = (name, method, ...args) =>
      Effect.gen(function* () {
        const { died, host } = objects.get(name) ?? (yield* start(name))
        const answer = (host as ShardHost.ShardHost)[method](...args)
        return yield* Effect.raceFirst(Effect.withClock(answer, clockOf(name)), Deferred.await(died))
      })

    const call: ShardCall = (name, method, ...args) =>
      Effect.withClock(
        Effect.suspend(() => {
          calls.push(`${name} ${method}`)
          const { back, kind, there } = fate()
          const lost = Effect.fail(new Error("Network connection lost."))
          if (kind === "before") return Effect.delay(lost, there)
          const reply = Effect.zipLeft(Effect.delay(arrive(name, method, ...args), there), Effect.sleep(back))
          return kind === "after" ? Effect.zipRight(reply, lost) : reply
        }),
        clock
      )

    const origin = { generation: 0, shards: first }
    for (const place of placesOf(origin)) yield* start(objectName(place))

    return {
      objects,
      calls,
      namespace,
      snapshots,
      recorded: RecordedTopologyKv.make(namespace),
      steps: makeSteps(call, origin),
      ledger,
      /** An isolate that has asked nobody yet. */
      isolate: () => DurableShards.make(call, origin),
      reshard: (options: Omit<ReshardOptions, "dryRun"> & { readonly dryRun?: boolean }) =>
        reshardDurable({ dryRun: false, ...options }).pipe(
          Effect.provideService(Resharding, makeSteps(call, origin)),
          Effect.provideService(RecordedTopology, recorded),
          Effect.provideService(Ledger, ledger)
        ),
      /** What an object's alarm does. */
      goOn: (name: string) => Effect.ignore(Effect.suspend(() => objects.get(name)!.host.goOn)),
      restart: (name: string) =>
        Effect.suspend(() => {
          const { died } = objects.get(name)!
          return Effect.zipRight(Deferred.fail(died, new Error("the object was reset")), start(name))
        }),
      lose: (name: string) =>
        Effect.suspend(() => {
          const { died } = objects.get(name)!
          disks.delete(name)
          return Effect.zipRight(Deferred.fail(died, new Error("the object was reset")), start(name))
        })
    }
  })
