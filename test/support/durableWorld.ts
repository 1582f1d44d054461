import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as AdoptedNamesMemory from "../../src/layers/AdoptedNamesMemory.ts"
import * as EdgeCacheMemory from "../../src/layers/EdgeCacheMemory.ts"
import * as DurableShards from "../../src/layers/internal/durableShards.ts"
import * as ShardHost from "../../src/layers/internal/shardHost.ts"
import type { ShardCall } from "../../src/layers/internal/shardMove.ts"
import { objectName } from "../../src/layers/internal/shardProtocol.ts"
import * as KvFaulty from "../../src/layers/KvFaulty.ts"
import * as KvSimulated from "../../src/layers/KvSimulated.ts"
import * as LedgerMemory from "../../src/layers/LedgerMemory.ts"
import * as MemoryTierLru from "../../src/layers/MemoryTierLru.ts"
import * as OutboxKv from "../../src/layers/OutboxKv.ts"
import * as ReadPathTiered from "../../src/layers/ReadPathTiered.ts"
import * as ShardMemory from "../../src/layers/ShardMemory.ts"
import * as SingleFlightDeferred from "../../src/layers/SingleFlightDeferred.ts"
import * as SnapshotsKv from "../../src/layers/SnapshotsKv.ts"
import * as StoreDurable from "../../src/layers/StoreDurable.ts"
import * as FlushShard from "../../src/programs/flushShard.ts"
import * as RestoreShard from "../../src/programs/restoreShard.ts"
import * as SweepOutbox from "../../src/programs/sweepOutbox.ts"
import { AdoptedNames } from "../../src/services/AdoptedNames.ts"
import { Background, type BackgroundService } from "../../src/services/Background.ts"
import { DurableCacheError } from "../../src/services/DurableCache.ts"
import type { Stamp } from "../../src/services/Entry.ts"
import { Outbox } from "../../src/services/Outbox.ts"
import { defaults } from "../../src/services/Settings.ts"
import { Shard, shardOf } from "../../src/services/Shard.ts"
import { Snapshots } from "../../src/services/Snapshots.ts"
import * as Stamper from "../../src/services/Stamper.ts"
import type { Store } from "../../src/services/Store.ts"
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
  readonly host: ShardHost.ShardHost
  readonly restore: Effect.Effect<number, unknown>
  readonly died: Deferred.Deferred<never, Error>
  /** Empty until it is restored. */
  ready: boolean
}

export const settings = { ...defaults, breakerThreshold: 3, breakerCooldown: Duration.seconds(4) }

/** Milliseconds after which every operation has ended: two reads of a shard, a lease, a load, a fill, and a follower. */
export const longestOperation = 60_000

const numberOf = (name: string): number => Number(name.slice("shard-".length))

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

    const disks = Array.from({ length: plan.shards }, () => ShardMemory.disk())

    const instance = (number: number, ready: boolean): Effect.Effect<Instance> =>
      Effect.gen(function* () {
        const shard = history.watch(number, ShardMemory.make(disks[number]))
        const provided = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
          effect.pipe(
            Effect.provideService(Shard, shard),
            Effect.provideService(Snapshots, SnapshotsKv.make(kv)),
            Effect.provideService(Outbox, outbox)
          ) as Effect.Effect<A, E>
        const flush = yield* provided(FlushShard.make(`shard-${number}`))
        const restore = yield* provided(
          RestoreShard.make(`shard-${number}`, (id) => shardOf(id, plan.shards) === number)
        )
        const died = yield* Deferred.make<never, Error>()
        return { shard, host: ShardHost.make(shard, { operations: { flush, restore } }), restore, died, ready }
      })

    const objects: Array<Instance> = []
    for (let number = 0; number < plan.shards; number++) objects.push(yield* instance(number, true))

    const onObject: ShardCall = (name, method, ...args) =>
      Effect.suspend(() => {
        const { died, host, ready } = objects[numberOf(name)]!
        if (!ready) return Effect.fail(new Error("the object is being restored"))
        return Effect.raceFirst(host[method](...args), Deferred.await(died))
      })

    const restart = (number: number) =>
      Effect.gen(function* () {
        history.tell(`shard ${number} restarts`)
        yield* Deferred.fail(objects[number]!.died, new Error("the object was reset"))
        objects[number] = yield* instance(number, objects[number]!.ready)
        yield* restore(number)
      })

    const lose = (number: number) =>
      Effect.gen(function* () {
        yield* Deferred.fail(objects[number]!.died, new Error("the object was reset"))
        disks[number] = ShardMemory.disk()
        history.lose(number)
        objects[number] = yield* instance(number, false)
      })

    /** An object that has lost its disk answers nobody until it is restored, as often as that takes. */
    const restore = (number: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        const object = objects[number]!
        if (object.ready) return Effect.void
        return Effect.matchEffect(
          object.restore.pipe(Effect.timeout("1 minutes"), Effect.raceFirst(Deferred.await(object.died))),
          {
            onFailure: () => (object === objects[number] ? Effect.delay(restore(number), "1 seconds") : Effect.void),
            onSuccess: (rows) =>
              Effect.sync(() => {
                object.ready = true
                history.tell(`shard ${number} restored ${rows} rows`)
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
              history.tell(`isolate ${isolate}'s ${method} to shard ${number}: ${kind}, ${there} there, ${back} back`)
            }
            const object = objects[number]
            const arrive = Effect.suspend(() =>
              object === objects[number]
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

    // Isolates

    const edges = [EdgeCacheMemory.make(), EdgeCacheMemory.make()]
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
      const shards = DurableShards.make(wireOf(number), { generation: 0, shards: plan.shards })
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
          ledger
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
        const cache = DurableShards.make(wireOf(0), { generation: 0, shards: plan.shards })
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
      restart,
      lose: (number: number) => Effect.zipRight(lose(number), restore(number)),
      sweep,
      forgetAdopted: Effect.sync(() => {
        adopted = AdoptedNamesMemory.make()
      }),
      flush: (number: number) => Effect.exit(onObject(objectName(number), "flush")),
      expire: (number: number) => Effect.map(clock.currentTimeMillis, (now) => objects[number]!.shard.sweep(1000, now)),
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
