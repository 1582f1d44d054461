import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as DurableCacheMemory from "../../../src/layers/durable/DurableCacheMemory.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as ModeHeartbeatStorage from "../../../src/layers/migration/ModeHeartbeatStorage.ts"
import * as RecordedModeKv from "../../../src/layers/migration/RecordedModeKv.ts"
import * as StoresOfRecordBoth from "../../../src/layers/migration/StoresOfRecordBoth.ts"
import { makePackedEntries } from "../../../src/layers/routing/packedEntries.ts"
import * as StoreDurable from "../../../src/layers/routing/StoreDurable.ts"
import * as StoreKv from "../../../src/layers/routing/StoreKv.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as OutboxKv from "../../../src/layers/snapshots/OutboxKv.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import * as EdgeCacheOff from "../../../src/layers/tiers/EdgeCacheOff.ts"
import * as MemoryTierOff from "../../../src/layers/tiers/MemoryTierOff.ts"
import * as ReadPathTiered from "../../../src/layers/tiers/ReadPathTiered.ts"
import * as SingleFlightDeferred from "../../../src/layers/tiers/SingleFlightDeferred.ts"
import { type MigrateOptions, migrateMode } from "../../../src/programs/migration/migrateMode.ts"
import { migrateOnFlagChange, migrateRecorded } from "../../../src/programs/migration/migrateOnFlagChange.ts"
import * as FlushShard from "../../../src/programs/snapshots/flushShard.ts"
import * as RestoreShard from "../../../src/programs/snapshots/restoreShard.ts"
import { DurableCache, DurableCacheError } from "../../../src/services/durable/DurableCache.ts"
import { Shard, shardOf } from "../../../src/services/durable/Shard.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { ModeHeartbeat, ModeHeartbeatError } from "../../../src/services/migration/ModeHeartbeat.ts"
import type { Mode } from "../../../src/services/migration/RecordedMode.ts"
import { StoresOfRecord } from "../../../src/services/migration/StoresOfRecord.ts"
import { defaults, Settings } from "../../../src/services/settings/Settings.ts"
import { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import { Snapshots } from "../../../src/services/snapshots/Snapshots.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import * as Stamper from "../../../src/services/store/Stamper.ts"
import type { Store, StoreError } from "../../../src/services/store/Store.ts"
import { EdgeCache } from "../../../src/services/tiers/EdgeCache.ts"

/** Nothing in front of the store of record, so that a read tells what it holds. */
const bare = { memoryTtl: 0, edgeTtl: 0, negativeTtl: 0, jitter: 0, ttl: "30 days" } as const

export const collections = [define("default", bare), define("notes", bare)] as const

/** What becomes of a call: never done; done, and the reply lost; done after everybody has given up; refused. */
export type Fate = "drop" | "lost" | "late" | "overloaded"

/**
 * Both stores of record and the isolates of either mode, each of which lives for one operation. `faults` are those of
 * CACHE_KV, `ownFaults` those of CACHE_DO_KV and `fates` those of the objects, while `switches.faulty`; `unreachable`
 * cuts the objects off.
 */
export const make = (
  options: {
    readonly shards?: number
    readonly faults?: KvFaulty.FaultPlan
    readonly ownFaults?: KvFaulty.FaultPlan
    readonly fates?: (call: number) => Fate | undefined
  } = {}
) =>
  Effect.gen(function* () {
    const { fates = () => undefined, shards: count = 1 } = options
    const ledger = LedgerMemory.make(0)
    const edge = yield* Effect.provide(EdgeCache, EdgeCacheOff.layer)
    const switches = { unreachable: false, faulty: false }
    const namespace = KvMemory.make()
    const cacheKv = KvMetered.make(
      KvFaulty.make(namespace, (operation, call) => (switches.faulty ? options.faults?.(operation, call) : undefined)),
      ledger,
      "CACHE_KV"
    )
    const own = KvMemory.make()
    const ownKv = KvMetered.make(
      KvFaulty.make(own, (operation, call) => (switches.faulty ? options.ownFaults?.(operation, call) : undefined)),
      ledger,
      "CACHE_DO_KV"
    )
    const [snapshots, outbox] = [SnapshotsKv.make(ownKv), OutboxKv.make(ownKv)]

    /** Objects whose SQLite is empty. */
    const objects = () => {
      const shards = Array.from({ length: count }, () => ShardMemory.make())
      return DurableCacheMemory.make(shards, ledger, (number) => {
        const provided = <A, E>(effect: Effect.Effect<A, E, Shard | Snapshots | Outbox>) =>
          effect.pipe(
            Effect.provideService(Shard, shards[number]!),
            Effect.provideService(Snapshots, snapshots),
            Effect.provideService(Outbox, outbox)
          )
        return {
          flush: Effect.flatten(provided(FlushShard.make(`shard-${number}`))),
          restore: () =>
            Effect.zipWith(
              Effect.flatten(provided(RestoreShard.fromSnapshot(`shard-${number}`))),
              Effect.flatten(provided(RestoreShard.fromOutbox((id) => shardOf(id, count) === number))),
              (saved, parked) => saved + parked
            )
        }
      })
    }
    let reached = objects()
    const lost = new DurableCacheError({ operation: "get", reason: "Unavailable" })
    let calls = 0
    const cut = <A>(effect: () => Effect.Effect<A, DurableCacheError>): Effect.Effect<A, DurableCacheError> =>
      Effect.suspend(() => {
        if (switches.unreachable) return Effect.fail(lost)
        const fate = switches.faulty ? fates(calls++) : undefined
        switch (fate) {
          case undefined:
            return effect()
          case "drop":
            return Effect.fail(lost)
          case "lost":
            return Effect.zipRight(effect(), Effect.fail(lost))
          case "late":
            return Effect.zipRight(
              Effect.forkDaemon(Effect.interruptible(Effect.delay(Effect.suspend(effect), "2 minutes"))),
              Effect.delay(Effect.fail(lost), defaults.durableDeadline)
            )
          case "overloaded":
            return Effect.fail(new DurableCacheError({ operation: "get", reason: "Overloaded" }))
        }
      })
    const durable: DurableCache["Type"] = {
      getMany: (ids) =>
        Effect.catchAll(
          cut(() => reached.getMany(ids)),
          (error) => Effect.succeed(ids.map(() => error))
        ),
      lease: (id, patience) => cut(() => reached.lease(id, patience)),
      release: (id, lease) => cut(() => reached.release(id, lease)),
      apply: (writes) =>
        Effect.catchAll(
          cut(() => reached.apply(writes)),
          (error) => Effect.succeed(writes.map(() => error))
        ),
      invalidateTags: (tags, stamp) => cut(() => reached.invalidateTags(tags, stamp)),
      list: (prefix, after, limit) => cut(() => reached.list(prefix, after, limit)),
      clear: (prefix, stamp) => cut(() => reached.clear(prefix, stamp)),
      stats: Effect.orDie(cut(() => reached.stats)),
      flush: cut(() => reached.flush),
      restore: (saved) => cut(() => reached.restore(saved)),
      objectOf: (id) => reached.objectOf(id),
      enabled: true
    }

    const settings = {
      ...defaults,
      shards: count,
      collections: new Map(collections.map((collection) => [collection.name, collection]))
    }
    let isolates = 0

    const beats = new Map<string, unknown>()
    const beating = ModeHeartbeatStorage.make({
      get: <A>(key: string) => beats.get(key) as A | undefined,
      put: (key, beat) => void beats.set(key, beat),
      delete: (key) => beats.delete(key)
    })
    const cutBeat = <A>(operation: ModeHeartbeatError["operation"], beat: Effect.Effect<A, ModeHeartbeatError>) =>
      Effect.suspend(() =>
        switches.unreachable ? Effect.fail(new ModeHeartbeatError({ operation, reason: "Unavailable" })) : beat
      )
    const heartbeat: ModeHeartbeat["Type"] = {
      goOn: cutBeat("goOn", beating.goOn),
      confirm: cutBeat("confirm", beating.confirm),
      stop: cutBeat("stop", beating.stop)
    }

    const isolate = (mode: Mode): Store["Type"] => {
      const flight = SingleFlightDeferred.make()
      const readPath = ReadPathTiered.make(settings, MemoryTierOff.make(), edge, flight, (value) => value.byteLength)
      const stamper = Stamper.make(() => `isolate-${isolates++}`)
      return mode === "kv"
        ? StoreKv.make({ kv: cacheKv, readPath, settings, stamper, ledger }, makePackedEntries)
        : StoreDurable.make({ durable, outbox, snapshots, readPath, settings, stamper, ledger, recorded: undefined })
    }

    const surroundings = (mode: Mode) =>
      Layer.mergeAll(
        Layer.succeed(Settings, { ...settings, durableMode: mode === "durable" }),
        Layer.succeed(Ledger, ledger),
        Layer.succeed(Kv, cacheKv),
        Layer.succeed(DurableCache, durable),
        Layer.succeed(ModeHeartbeat, heartbeat),
        Layer.succeed(Snapshots, snapshots),
        Layer.succeed(Outbox, outbox)
      )

    const operating = (mode: Mode) =>
      StoresOfRecordBoth.layer.pipe(
        Layer.provide(RecordedModeKv.layer.pipe(Layer.provide(Layer.succeed(Kv, ownKv)))),
        Layer.provideMerge(surroundings(mode))
      )

    return {
      /** Both stores as wholes. */
      stores: (yield* Effect.provide(StoresOfRecord, operating("durable")))!,
      /** The namespace itself, as a reader that knows nothing of Larder sees it. */
      namespace,
      /** That of the objects and of what is recorded, without its faults. */
      own,
      durable,
      ledger,
      switches,
      /** Bytes of what snapshots and outbox keep. */
      ownBytes: Effect.gen(function* () {
        let bytes = 0
        for (const { name } of (yield* own.list()).keys) {
          bytes += Option.match(yield* own.get(name), { onNone: () => 0, onSome: ({ value }) => value.byteLength })
        }
        return bytes
      }),
      /** One operation in an isolate of its own. */
      in: <A>(mode: Mode, use: (store: Store["Type"]) => Effect.Effect<A, StoreError>) =>
        Effect.suspend(() => use(isolate(mode))),
      migrate: (options: Omit<MigrateOptions, "dryRun"> & { readonly dryRun?: boolean }) =>
        Effect.provide(migrateMode({ dryRun: false, ...options }), operating(options.to)),
      /** `admin/migrate` to the mode in force. */
      command: (to: Mode, operations = 900) =>
        Effect.provide(migrateRecorded({ to, dryRun: false, operations }), operating(to)),
      /** What a cron does while the flag is this one. */
      follow: (mode: Mode) => Effect.provide(migrateOnFlagChange, operating(mode)),
      record: RecordedModeKv.make(ownKv).write,
      /** What is recorded, whatever the faults. */
      recorded: RecordedModeKv.make(own).read,
      /** The objects lose everything, and remember nothing of it. */
      destroyObjects: Effect.sync(() => {
        beats.clear()
        reached = objects()
      })
    }
  })

export type World = Effect.Effect.Success<ReturnType<typeof make>>
