import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as AdoptedNamesMemory from "../../src/layers/AdoptedNamesMemory.ts"
import * as EdgeCacheMemory from "../../src/layers/EdgeCacheMemory.ts"
import * as DurableShards from "../../src/layers/internal/durableShards.ts"
import { makeSteps } from "../../src/layers/internal/reshardSteps.ts"
import * as ShardHost from "../../src/layers/internal/shardHost.ts"
import type { ShardCall } from "../../src/layers/internal/shardMove.ts"
import * as KvFaulty from "../../src/layers/KvFaulty.ts"
import * as KvSimulated from "../../src/layers/KvSimulated.ts"
import * as LedgerMemory from "../../src/layers/LedgerMemory.ts"
import * as MemoryTierLru from "../../src/layers/MemoryTierLru.ts"
import * as OutboxKv from "../../src/layers/OutboxKv.ts"
import * as ReadPathTiered from "../../src/layers/ReadPathTiered.ts"
import * as RecordedTopologyKv from "../../src/layers/RecordedTopologyKv.ts"
import * as ShardMemory from "../../src/layers/ShardMemory.ts"
import * as SingleFlightDeferred from "../../src/layers/SingleFlightDeferred.ts"
import * as SnapshotsKv from "../../src/layers/SnapshotsKv.ts"
import * as StoreDurable from "../../src/layers/StoreDurable.ts"
import * as FlushShard from "../../src/programs/flushShard.ts"
import { reshardDurable } from "../../src/programs/reshardDurable.ts"
import * as RestoreShard from "../../src/programs/restoreShard.ts"
import * as SweepOutbox from "../../src/programs/sweepOutbox.ts"
import { AdoptedNames } from "../../src/services/AdoptedNames.ts"
import { Background, type BackgroundService } from "../../src/services/Background.ts"
import { DurableCacheError } from "../../src/services/DurableCache.ts"
import type { Stamp } from "../../src/services/Entry.ts"
import { Ledger } from "../../src/services/Ledger.ts"
import { Outbox } from "../../src/services/Outbox.ts"
import { RecordedTopology } from "../../src/services/RecordedTopology.ts"
import { Resharding } from "../../src/services/Resharding.ts"
import { defaults } from "../../src/services/Settings.ts"
import { Shard } from "../../src/services/Shard.ts"
import { Snapshots } from "../../src/services/Snapshots.ts"
import * as Stamper from "../../src/services/Stamper.ts"
import type { Store } from "../../src/services/Store.ts"
import { objectName, placesOf } from "../../src/services/Topology.ts"
import type { DurableHistory } from "./durableHistory.ts"

/**
 * What becomes of one RPC. `lost`: done, and its reply is not; `silent`: the same without an error. `late`: done
 * after the caller has given up. `twice`: done again when that would be. `drop`: never done. `overloaded`: refused.
 */
export interface Fate {
  readonly kind: "slow" | "lost" | "silent" | "late" | "twice" | "drop" | "overloaded"
  /** Milliseconds on the way there, and back. */
  readonly there: number
  readonly back: number
}

export interface WorldPlan {
  readonly seed: number
  readonly shards: number
  /** Whether the number of shards may change. */
  readonly reshards: boolean
  /** Isolates, by how many milliseconds their clocks are ahead. */
  readonly skews: ReadonlyArray<number>
  readonly edge: boolean
  /** Of the RPCs in order; all is well with those after. */
  readonly fates: ReadonlyArray<Fate>
  /** Of the operations of KV in order. */
  readonly faults: ReadonlyArray<KvFaulty.Fault | undefined>
}

interface Isolate {
  readonly store: Store["Type"]
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  readonly kill: Effect.Effect<void>
  /** The last lease it asked for under an id came to nothing, the shard being out of reach. */
  readonly wasAlone: (id: string) => boolean
  stamped: (stamp: Stamp) => void
}

interface Instance {
  readonly shard: Shard["Type"]
  readonly host: ShardHost.OwnHost
  readonly restore: Effect.Effect<number, unknown>
  readonly died: Deferred.Deferred<never, Error>
  /** Empty until it is restored. */
  ready: boolean
}

export const settings = { ...defaults, breakerThreshold: 3, breakerCooldown: Duration.seconds(4) }

/** Milliseconds after which every operation has ended: two reads of a shard, a lease, a load, a fill, and a follower. */
export const longestOperation = 60_000

/** Of the shard within its generation. */
const numberOf = (name: string): number => Number(/\d+$/.exec(name)![0])

/** Objects, isolates, and the wires between them, all of which may fail as planned. Made in virtual time. */
export const make = (plan: WorldPlan, history: DurableHistory) =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    const simulated = KvSimulated.makeWorld({
      seed: plan.seed,
      consistency: { reuse: 60_000, tail: { probability: 0.1, max: 60_000 }, ownWrites: 1, listLag: 60_000 }
    })
    let faults = plan.faults
    const kvAt = (location: string) =>
      KvFaulty.make(simulated.at(location), (operation, call) => {
        const fault = faults[callsToKv++]
        if (fault !== undefined) history.tell(`KV ${operation} ${call}: ${fault.kind}`)
        return fault
      })
    let callsToKv = 0
    const ledger = LedgerMemory.make(0)
    const kv = kvAt("objects")
    const outbox = OutboxKv.make(kv)
    let adopted = AdoptedNamesMemory.make()

    // Objects

    const disks = new Map<string, ShardMemory.ShardDisk>()

    const instance = (name: string, ready: boolean): Effect.Effect<Instance> =>
      Effect.gen(function* () {
        const disk = disks.get(name) ?? ShardMemory.disk()
        disks.set(name, disk)
        const own = ShardMemory.make(disk)
        const shard = history.watch(name, own)
        const provided = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
          effect.pipe(
            Effect.provideService(Shard, shard),
            Effect.provideService(Snapshots, SnapshotsKv.make(kv)),
            Effect.provideService(Outbox, outbox)
          ) as Effect.Effect<A, E>
        const flush = yield* provided(FlushShard.make(name))
        const restore = yield* provided(RestoreShard.make(name, (id) => history.holderOf(id) === name))
        const died = yield* Deferred.make<never, Error>()
        // What it merges itself is a snapshot; what it is given by others has only moved.
        const host = ShardHost.make({ ...shard, merge: own.merge }, { operations: { flush, restore, peers: between } })
        return { shard, host, restore, died, ready }
      })

    const first = { generation: 0, shards: plan.shards }
    const objects = new Map<string, Instance>()
    const found = (name: string): Effect.Effect<Instance> =>
      Effect.suspend(() => {
        const known = objects.get(name)
        return known !== undefined
          ? Effect.succeed(known)
          : Effect.tap(instance(name, true), (made) => Effect.sync(() => objects.set(name, made)))
      })

    const onObject: ShardCall = (name, method, ...args) =>
      Effect.flatMap(found(name), ({ died, host, ready }) => {
        if (!ready) return Effect.fail(new Error("the object is being restored"))
        return Effect.raceFirst((host as ShardHost.ShardHost)[method](...args), Deferred.await(died))
      })

    const restart = (name: string) =>
      Effect.gen(function* () {
        history.tell(`${name} restarts`)
        const { died, ready } = objects.get(name)!
        yield* Deferred.fail(died, new Error("the object was reset"))
        objects.set(name, yield* instance(name, ready))
        yield* restore(name)
      })

    const lose = (name: string) =>
      Effect.gen(function* () {
        yield* Deferred.fail(objects.get(name)!.died, new Error("the object was reset"))
        disks.delete(name)
        history.lose(name)
        objects.set(name, yield* instance(name, false))
      })

    /** An object that has lost its disk answers nobody until it is restored, as often as that takes. */
    const restore = (name: string): Effect.Effect<void> =>
      Effect.suspend(() => {
        const object = objects.get(name)!
        if (object.ready) return Effect.void
        return Effect.matchEffect(
          object.restore.pipe(Effect.timeout("1 minutes"), Effect.raceFirst(Deferred.await(object.died))),
          {
            onFailure: () => (object === objects.get(name) ? Effect.delay(restore(name), "1 seconds") : Effect.void),
            onSuccess: (rows) =>
              Effect.sync(() => {
                object.ready = true
                history.tell(`${name} restored ${rows} rows`)
              })
          }
        )
      })

    // Wires

    const outages = new Map<string, number>()
    let fates = plan.fates
    let calls = 0

    const wireOf =
      (isolate: number): ShardCall =>
      (name, method, ...args) =>
        Effect.withClock(
          Effect.suspend(() => {
            const number = numberOf(name)
            const at = clock.unsafeCurrentTimeMillis()
            if (at < (outages.get(`${isolate}:${number}`) ?? 0)) {
              return Effect.delay(Effect.fail(new Error("Network connection lost.")), 3)
            }
            const { back, kind, there } = fates[calls++] ?? { kind: "slow", there: 1, back: 0 }
            if (calls <= fates.length) {
              history.tell(`isolate ${isolate}'s ${method} to ${name}: ${kind}, ${there} there, ${back} back`)
            }
            const object = objects.get(name)
            const arrive = Effect.suspend(() =>
              object === undefined || object === objects.get(name)
                ? onObject(name, method, ...args)
                : Effect.fail(new Error("the object was reset"))
            )
            const deliver = (after: number) => Effect.forkDaemon(Effect.interruptible(Effect.delay(arrive, after)))
            const reply = <A, E>(fiber: Fiber.Fiber<A, E>) => Effect.zipLeft(Fiber.join(fiber), Effect.sleep(back))
            const late = Duration.toMillis(settings.durableDeadline) + 1 + there
            switch (kind) {
              case "slow":
                return Effect.flatMap(deliver(there), reply)
              case "lost":
                return Effect.zipRight(
                  Effect.flatMap(deliver(there), reply),
                  Effect.fail(new Error("Network connection lost."))
                )
              case "silent":
                return Effect.zipRight(deliver(there), Effect.never)
              case "late":
                return Effect.zipRight(deliver(late), Effect.never)
              case "twice":
                return Effect.zipRight(deliver(late), Effect.flatMap(deliver(there), reply))
              case "drop":
                return Effect.delay(Effect.fail(new Error("Network connection lost.")), there)
              case "overloaded":
                return Effect.fail(Object.assign(new Error("Durable Object is overloaded."), { overloaded: true }))
            }
          }),
          clock
        )

    /** Objects reach each other, or learn that they did not, or do not know. */
    const between: ShardCall = (name, method, ...args) =>
      Effect.suspend(() => {
        const { back, kind, there } = fates[calls++] ?? { kind: "slow", there: 1, back: 0 }
        if (calls <= fates.length)
          history.tell(`an object's ${method} to ${name}: ${kind}, ${there} there, ${back} back`)
        const gone = Effect.fail(new Error("Network connection lost."))
        if (kind === "drop" || kind === "overloaded") return Effect.delay(gone, there)
        const reply = Effect.zipLeft(Effect.delay(onObject(name, method, ...args), there), Effect.sleep(back))
        return kind === "slow" ? reply : Effect.zipRight(reply, gone)
      })

    for (const place of placesOf(first)) yield* found(objectName(place))

    const recorded = RecordedTopologyKv.make(kv)
    /** The number that was asked for last, until that is done. */
    let target: number | undefined
    const reshard = (shards: number, operations: number) =>
      Effect.suspend(() => {
        target ??= shards
        return reshardDurable({ shards: target, dryRun: false, operations })
      }).pipe(
        Effect.provideService(Resharding, makeSteps(wireOf(0), first)),
        Effect.provideService(RecordedTopology, recorded),
        Effect.provideService(Ledger, ledger),
        Effect.timeout("40 seconds"),
        Effect.tap(({ complete }) =>
          Effect.sync(() => {
            history.count(`reshards ${complete ? "complete" : "in part"}`)
            if (complete) target = undefined
          })
        )
      )

    /** Those that have keys. */
    const inForce = (): ReadonlyArray<string> =>
      [...objects].flatMap(([name, { shard }]) => (shard.seal() === undefined ? [name] : []))

    // Isolates

    // An edge as slow as the plan's seed says: what happens meanwhile overtakes it.
    const edge = () => {
      const cache = EdgeCacheMemory.make()
      const millis = plan.seed % 4 === 0 ? 0 : plan.seed % 90
      return { ...cache, match: (id: string) => Effect.delay(cache.match(id), millis) }
    }
    const edges = [edge(), edge()]
    const noEdge = { ...EdgeCacheMemory.make(), enabled: false }
    let started = 0

    const start = (number: number): Isolate => {
      const skew = plan.skews[number]!
      const own: Clock.Clock = {
        ...clock,
        unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + skew,
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + skew)
      }
      const work = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
      const alone = new Set<string>()
      const kept = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.map(Effect.forkDaemon(effect), (fiber) => {
          work.add(fiber)
          fiber.addObserver(() => work.delete(fiber))
          return fiber
        })
      const background: BackgroundService = {
        run: (effect) => Effect.contextWithEffect((context) => Effect.asVoid(kept(Effect.provide(effect, context)))),
        promise: () => undefined
      }
      const name = `w${number}-${started++}`
      const given = Stamper.make(() => name)
      const stamper: typeof given = {
        next: (now) => {
          const stamp = given.next(now)
          isolate.stamped(stamp)
          return stamp
        }
      }
      const shards = DurableShards.make(wireOf(number), first)
      const durable: typeof shards = {
        ...shards,
        lease: (id, patience) =>
          Effect.suspend(() => {
            alone.add(id)
            return Effect.tap(shards.lease(id, patience), () => Effect.sync(() => alone.delete(id)))
          })
      }
      const readPath = ReadPathTiered.make(
        settings,
        MemoryTierLru.make(1_000_000),
        plan.edge ? edges[number % edges.length]! : noEdge,
        SingleFlightDeferred.make(),
        (value) => value.byteLength
      )
      const isolate: Isolate = {
        store: StoreDurable.make(
          durable,
          OutboxKv.make(kv),
          SnapshotsKv.make(kvAt(`isolate-${number % 2}`)),
          readPath,
          { ...settings, shards: plan.shards },
          stamper,
          ledger,
          plan.reshards ? RecordedTopologyKv.make(kvAt(`isolate-${number % 2}`)) : undefined
        ),
        run: (effect) =>
          Effect.flatMap(
            kept(effect.pipe(Effect.withClock(own), Effect.provideService(Background, background))),
            Fiber.join
          ),
        kill: Effect.suspend(() => Effect.forEach([...work], Fiber.interruptFork, { discard: true })),
        wasAlone: (id) => alone.has(id),
        stamped: () => {}
      }
      return isolate
    }

    const isolates = plan.skews.map((_, number) => start(number))

    const sweep = Effect.suspend(() => sweepWith(adopted))
    const sweepWith = (adopted: AdoptedNames["Type"]) =>
      Effect.gen(function* () {
        const cache = DurableShards.make(wireOf(0), first)
        const sweepOutbox = yield* SweepOutbox.make((writes) =>
          Effect.flatMap(cache.apply(writes), (results) => {
            const failed = results.find((result) => result instanceof DurableCacheError)
            return failed === undefined ? Effect.void : Effect.fail(failed)
          })
        )
        return yield* Effect.timeout(sweepOutbox, "1 minutes")
      }).pipe(Effect.provideService(Outbox, outbox), Effect.provideService(AdoptedNames, adopted))

    return {
      isolates,
      objects,
      inForce,
      /** One of all there are. */
      nameAt: (number: number): string => [...objects.keys()][number % objects.size]!,
      reshard,
      /** Until what was begun is done. */
      endReshard: Effect.suspend(() =>
        target === undefined
          ? Effect.void
          : Effect.repeat(
              Effect.suspend(() => Effect.ignore(reshard(target!, 900))),
              { until: () => target === undefined, times: 20 }
            )
      ),
      restart,
      lose: (name: string) =>
        Effect.suspend(() =>
          plan.reshards && [...objects.values()].some(({ shard }) => shard.seal() !== undefined)
            ? Effect.void
            : Effect.zipRight(lose(name), restore(name))
        ),
      loseAll: Effect.suspend(() =>
        Effect.forEach(inForce(), (name) => Effect.zipRight(lose(name), restore(name)), { discard: true })
      ),
      sweep,
      forgetAdopted: Effect.sync(() => {
        adopted = AdoptedNamesMemory.make()
      }),
      flush: (name: string) => Effect.exit(onObject(name, "flush")),
      expire: (name: string) => Effect.map(clock.currentTimeMillis, (now) => objects.get(name)!.shard.sweep(1000, now)),
      kill: (number: number) =>
        Effect.zipRight(
          isolates[number]!.kill,
          Effect.sync(() => {
            history.tell(`isolate ${number} dies`)
            isolates[number] = start(number)
          })
        ),
      outage: (isolate: number, number: number, millis: number) => {
        history.tell(`isolate ${isolate} loses sight of shard ${number} for ${millis}`)
        outages.set(`${isolate}:${number}`, clock.unsafeCurrentTimeMillis() + millis)
      },
      heal: () => {
        history.tell("all is well again")
        outages.clear()
        fates = []
        faults = []
      }
    }
  })
