import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as BudgetDaily from "../layers/budget/BudgetDaily.ts"
import * as KvBudgeted from "../layers/budget/KvBudgeted.ts"
import * as BudgetAccountBinding from "../layers/durable/BudgetAccountBinding.ts"
import * as BudgetAccountStorage from "../layers/durable/BudgetAccountStorage.ts"
import * as DurableCacheBinding from "../layers/durable/DurableCacheBinding.ts"
import type { MeteredStorage } from "../layers/durable/object/meteredStorage.ts"
import type { ShardOperations } from "../layers/durable/object/shardHost.ts"
import { placeIn } from "../layers/durable/object/shardProtocol.ts"
import * as ShardRecovery from "../layers/durable/object/shardRecovery.ts"
import * as RecordedTopologyKv from "../layers/durable/RecordedTopologyKv.ts"
import * as KvBinding from "../layers/kv/KvBinding.ts"
import * as KvDeadline from "../layers/kv/KvDeadline.ts"
import * as KvMetered from "../layers/kv/KvMetered.ts"
import * as KvNamed from "../layers/kv/KvNamed.ts"
import * as KvRetrying from "../layers/kv/KvRetrying.ts"
import * as RetryPolicyCron from "../layers/kv/RetryPolicyCron.ts"
import * as LedgerMemory from "../layers/ledger/LedgerMemory.ts"
import * as AdoptedNamesSqlite from "../layers/snapshots/AdoptedNamesSqlite.ts"
import * as OutboxKv from "../layers/snapshots/OutboxKv.ts"
import * as SnapshotsKv from "../layers/snapshots/SnapshotsKv.ts"
import { paced } from "../layers/snapshots/snapshotPace.ts"
import { recoverShard, restoreUnmoved } from "../programs/durable/recoverShard.ts"
import * as FlushShard from "../programs/snapshots/flushShard.ts"
import * as RestoreShard from "../programs/snapshots/restoreShard.ts"
import * as SweepOutbox from "../programs/snapshots/sweepOutbox.ts"
import { Budget, type BudgetService, unlimited } from "../services/budget/Budget.ts"
import type { DailyAllowance } from "../services/budget/model/KvAllowance.ts"
import { applyAll, DurableCache, type SavedGeneration } from "../services/durable/DurableCache.ts"
import { type ObjectPlace, objectName, ownerOf } from "../services/durable/model/Topology.ts"
import { RecordedTopology } from "../services/durable/RecordedTopology.ts"
import { Shard } from "../services/durable/Shard.ts"
import { Kv } from "../services/kv/Kv.ts"
import { Ledger } from "../services/ledger/Ledger.ts"
import { Outbox } from "../services/snapshots/Outbox.ts"
import { Snapshots } from "../services/snapshots/Snapshots.ts"
import { type ObjectBindings, objectsOf } from "./objectBindings.ts"

/** How often the first shard looks for writes that were kept outside. One billed list each. */
const sweepMillis = 4 * 3_600_000

interface ObjectEnv extends Partial<ObjectBindings> {
  readonly SHARDS?: string
  readonly BUDGET_READS?: string
  readonly BUDGET_WRITES?: string
  readonly BUDGET_DELETES?: string
  readonly BUDGET_LISTS?: string
}

/** The setting `SHARDS`, as the objects read it. */
const shardsOf = (env: ObjectEnv): number => Number(env.SHARDS ?? 1)

/** The settings `BUDGET_*`; the Worker refuses what is none. */
const allowancesOf = (env: ObjectEnv): DailyAllowance => ({
  ...(env.BUDGET_READS === undefined ? {} : { reads: Number(env.BUDGET_READS) }),
  ...(env.BUDGET_WRITES === undefined ? {} : { writes: Number(env.BUDGET_WRITES) }),
  ...(env.BUDGET_DELETES === undefined ? {} : { deletes: Number(env.BUDGET_DELETES) }),
  ...(env.BUDGET_LISTS === undefined ? {} : { lists: Number(env.BUDGET_LISTS) })
})

/** The first object keeps the account, the others ask it. */
const budgetOf = (storage: MeteredStorage, env: ObjectEnv, namespace: DurableObjectNamespace, isFirst: boolean) => {
  const allowances = allowancesOf(env)
  if (Object.keys(allowances).length === 0) return unlimited
  const account = isFirst
    ? BudgetAccountStorage.make(storage.kv)
    : BudgetAccountBinding.make(namespace, LedgerMemory.make(0))
  return BudgetDaily.make(allowances, account)
}

/** Which object it is. The platform does not tell it, so that those of later generations remember it once found. */
const placeOf = (
  id: DurableObjectId,
  storage: MeteredStorage,
  namespace: DurableObjectNamespace
): ObjectPlace | undefined => {
  const known = storage.kv.get<ObjectPlace>("place")
  const place = known ?? placeIn(namespace, id)
  if (known === undefined && place !== undefined && place.generation > 0) storage.kv.put("place", place)
  return place
}

/** How long a recovering object waits for one answer of KV, before it begins anew. */
const recoveryDeadline = "10 seconds"

/** Without the patience of what nobody waits for: an object that recovers tries anew by itself, and soon. */
const hasty = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Kv, (patient) => {
    const kv = KvDeadline.make(patient, recoveryDeadline)
    return effect.pipe(
      Effect.provideService(Snapshots, SnapshotsKv.make(kv)),
      Effect.provideService(Outbox, OutboxKv.make(kv)),
      Effect.provideService(RecordedTopology, RecordedTopologyKv.make(kv))
    )
  })

const layer = (
  storage: MeteredStorage,
  shard: Shard["Type"],
  namespace: DurableObjectNamespace,
  kv: KVNamespace,
  shards: number,
  budget: BudgetService
) =>
  Layer.mergeAll(
    OutboxKv.layer,
    SnapshotsKv.layer,
    RecordedTopologyKv.layer,
    DurableCacheBinding.layer(namespace, shards),
    AdoptedNamesSqlite.layer(storage.run),
    Layer.succeed(Shard, shard)
  ).pipe(
    Layer.provide(KvNamed.layer("CACHE_DO_KV")),
    Layer.provide(KvRetrying.layer),
    Layer.provide(RetryPolicyCron.layer),
    Layer.provideMerge(KvBudgeted.layer("counting")),
    Layer.provide(KvMetered.layer("CACHE_DO_KV")),
    Layer.provide(KvBinding.layer(kv)),
    Layer.provide(Layer.succeed(Budget, budget)),
    Layer.provideMerge(LedgerMemory.layer)
  )

/**
 * What a shard's object does beyond its own storage, or undefined without the bindings for it: snapshots and outbox in
 * KV. The first shard sweeps the outbox for all of them.
 */
export const make = (
  { id }: DurableObjectState,
  env: ObjectEnv,
  shard: Shard["Type"],
  storage: MeteredStorage
): ShardOperations | undefined => {
  const objects = objectsOf(env)
  if (objects === undefined) return undefined
  const { CACHE_DO, CACHE_DO_KV } = objects
  const shards = shardsOf(env)
  const place = placeOf(id, storage, CACHE_DO)
  if (place === undefined) return undefined
  const name = objectName(place)
  const isFirst = place.generation === 0 && place.shard === 0
  const budget = budgetOf(storage, env, CACHE_DO, isFirst)
  const runtime = ManagedRuntime.make(layer(storage, shard, CACHE_DO, CACHE_DO_KV, shards, budget))
  let own = { generation: 0, shards }
  let siblings = place.generation === 0 ? shards : storage.kv.get<number>("shards")
  const joined = (count: number): void => {
    if (place.generation === 0 || siblings === count) return
    storage.kv.put("shards", count)
    siblings = count
  }
  const programs = Effect.all({
    flush: FlushShard.make(name),
    newest: hasty(RestoreShard.fromSnapshot(name)),
    previous: hasty(RestoreShard.fromSnapshot(name, "previous")),
    readable: hasty(RestoreShard.fromSnapshot(name, "readable")),
    outbox: hasty(RestoreShard.fromOutbox((id) => objectName(ownerOf(own, id)) === name)),
    sweep: Effect.flatMap(DurableCache, (durable) => SweepOutbox.make((writes) => applyAll(durable, writes)))
  })
  const built = Effect.runSync(Effect.cached(Effect.provide(programs, runtime)))
  const sweepIfDue = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (now - (storage.kv.get<number>("sweptAt") ?? 0) < sweepMillis) return Effect.void
    return Effect.zipLeft(
      Effect.flatMap(built, ({ sweep }) => Effect.provide(sweep, runtime)),
      Effect.sync(() => storage.kv.put("sweptAt", now))
    )
  })
  const restores = (saved: SavedGeneration = "newest") => ({
    snapshot: Effect.flatMap(built, (restoring) => restoring[saved]),
    outbox: (topology: typeof own) => {
      own = topology
      joined(topology.shards)
      return Effect.flatMap(built, ({ outbox }) => outbox)
    }
  })
  /** How many rows. A new object of a generation to come is asked again at its next start. */
  const recover = (onKnown: () => void, saved?: SavedGeneration) =>
    Effect.map(Effect.provide(hasty(recoverShard(place, shards, restores(saved), onKnown)), runtime), (recovered) => {
      if (recovered.forGood) storage.kv.put("awake", true)
      return recovered.rows
    })
  const recovery = ShardRecovery.make(
    (onKnown) => Effect.asVoid(recover(onKnown)),
    () => storage.kv.get("awake") === true
  )
  const flush = Effect.flatMap(built, ({ flush }) => flush)
  return {
    ...paced(flush, budget, storage.kv),
    snapshotAt: () => SnapshotsKv.savedAt(shard.source),
    restore: (saved) =>
      Effect.suspend(() =>
        recovery.isKnown()
          ? Effect.provide(hasty(restoreUnmoved(place, shards, restores(saved))), runtime)
          : recovery.by((onKnown) => recover(onKnown, saved))
      ),
    recovery,
    shards: () => siblings ?? 1,
    joined,
    peers: DurableCacheBinding.calls(CACHE_DO, LedgerMemory.make(0)),
    kvSpent: () => {
      const { kv, kvCalls } = Effect.runSync(
        Effect.map(Effect.provide(Ledger, runtime), (ledger) => ledger.report().total)
      )
      return { billed: kv, calls: kvCalls }
    },
    ...(isFirst ? { adopt: { everyMillis: sweepMillis, run: sweepIfDue } } : {})
  }
}
