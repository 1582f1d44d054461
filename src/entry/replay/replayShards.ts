import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KvBudgeted from "../../layers/budget/KvBudgeted.ts"
import * as ShardHost from "../../layers/durable/object/shardHost.ts"
import { shardObjectName } from "../../layers/durable/object/shardProtocol.ts"
import * as ShardMemory from "../../layers/durable/ShardMemory.ts"
import * as KvMetered from "../../layers/kv/KvMetered.ts"
import * as StoreDurable from "../../layers/routing/StoreDurable.ts"
import * as DurableCacheSimulated from "../../layers/simulation/DurableCacheSimulated.ts"
import * as KvSimulated from "../../layers/simulation/KvSimulated.ts"
import * as AdoptedNamesMemory from "../../layers/snapshots/AdoptedNamesMemory.ts"
import * as OutboxKv from "../../layers/snapshots/OutboxKv.ts"
import * as SnapshotsKv from "../../layers/snapshots/SnapshotsKv.ts"
import { type PaceStorage, paced } from "../../layers/snapshots/snapshotPace.ts"
import * as FlushShard from "../../programs/snapshots/flushShard.ts"
import * as SweepOutbox from "../../programs/snapshots/sweepOutbox.ts"
import type { BudgetService } from "../../services/budget/Budget.ts"
import { applyAll, DurableCache, type DurableCacheError } from "../../services/durable/DurableCache.ts"
import { Shard, type ShardRow, type ShardWrite, shardOf } from "../../services/durable/Shard.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { freeDailyKv } from "../../services/ledger/model/Prices.ts"
import * as ReplayedValue from "../../services/replay/model/ReplayedValue.ts"
import { Workload, type WorkloadEntry } from "../../services/replay/Workload.ts"
import { AdoptedNames } from "../../services/snapshots/AdoptedNames.ts"
import { rowBytes } from "../../services/snapshots/model/Segment.ts"
import { Outbox } from "../../services/snapshots/Outbox.ts"
import { Snapshots } from "../../services/snapshots/Snapshots.ts"
import { defaultContentType, zeroStamp } from "../../services/store/model/Entry.ts"
import { addressOf } from "../../services/tiers/ReadPath.ts"
import type { IsolateOptions, RecordStore } from "./replayIsolates.ts"

const hour = Duration.toMillis(Duration.hours(1))

/** The first shard sweeps the outbox so often, in milliseconds; its alarm fires no less often. */
const sweepEvery = 4 * hour

/** Rows that one alarm sweeps at most. */
const sweepRows = 1000

/** Values are stand-ins: a page takes as many as it would of what they stand for. */
const paging = { weigh: ReplayedValue.weigh }

/** Where the objects are: near the first request, so in the first location. */
const objectsAt = 0

/**
 * Durable Objects as the store of record: rows in memory, an alarm that snapshots every shard each as many hours as
 * there are shards, a namespace of their own for snapshots and outbox. What the workload says is there from the
 * beginning stands in the rows, at no cost.
 */
export const make = (
  { plan, seed, shards: count }: IsolateOptions,
  objectsBudget: BudgetService
): Effect.Effect<RecordStore, never, Workload | Ledger> =>
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const { entries } = yield* Workload
    const disks = Array.from({ length: count }, ShardMemory.disk)
    const initial = entries.flatMap((entry, number) => (entry.initial ? [rowOf(entry, number)] : []))
    for (const [number, disk] of disks.entries()) {
      const rows = initial.filter(({ id }) => shardOf(id, count) === number)
      ShardMemory.make(disk, paging).merge({ rows, tags: new Map() }, 0)
      disk.state = undefined
    }

    const namespace = KvSimulated.makeWorld({ seed, ...(plan === "free" ? { daily: freeDailyKv } : {}) })
    const kvAt = (location: number, budget: BudgetService) =>
      KvBudgeted.make(KvMetered.make(namespace.at(location), ledger, "CACHE_DO_KV"), budget, "counting")
    const limits = snapshotLimits(entries)
    const outbox = OutboxKv.make(kvAt(objectsAt, objectsBudget))
    const snapshots = SnapshotsKv.make(kvAt(objectsAt, objectsBudget), limits)

    const adopt = (writes: ReadonlyArray<ShardWrite>): Effect.Effect<void, DurableCacheError> =>
      applyAll(world.at(objectsAt), writes)
    const sweepOutbox = yield* Effect.provideService(SweepOutbox.make(adopt), Outbox, outbox).pipe(
      Effect.provideService(AdoptedNames, AdoptedNamesMemory.make())
    )
    let sweptAt = Number.NEGATIVE_INFINITY
    const sweepWhenDue = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now < sweptAt + sweepEvery) return Effect.void
      sweptAt = now
      return Effect.ignoreLogged(sweepOutbox)
    })

    const objects = yield* Effect.forEach(disks, (disk, number) => {
      const shard = ShardMemory.make(disk, paging)
      const everyMillis = count * hour
      return FlushShard.make(shardObjectName(number)).pipe(
        Effect.provideService(Shard, shard),
        Effect.provideService(Snapshots, snapshots),
        Effect.map((flush) => ({
          shard,
          sweepRows,
          operations: { ...ShardHost.noOperations, ...paced(flush, objectsBudget, paceStorage()) },
          everyMillis: number === 0 ? Math.min(everyMillis, sweepEvery) : everyMillis,
          ...(number === 0 ? { besides: sweepWhenDue } : {})
        }))
      )
    })
    /** What the objects hold at the end, looked at without a bill. */
    let views: ReadonlyArray<Shard["Type"]> | undefined
    const world = yield* DurableCacheSimulated.makeWorld(objects, ledger, { seed })

    return {
      storeAt: (location, budget) =>
        StoreDurable.layer.pipe(
          Layer.provide(Layer.succeed(DurableCache, world.at(location))),
          Layer.provide(Layer.succeed(Outbox, OutboxKv.make(kvAt(location, budget)))),
          Layer.provide(Layer.succeed(Snapshots, SnapshotsKv.make(kvAt(location, budget), limits)))
        ),
      current: (collection, key) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const { id } = addressOf(collection, key)
          views ??= disks.map((disk) => ShardMemory.make(disk, paging))
          return views[shardOf(id, count)]!.getMany([id], now)[0]?.value
        }),
      settle: world.settle,
      // The first object's alarm looks for outside writes, and sets the next.
      atRest: (millis) => {
        const alarms = Math.floor(millis / sweepEvery)
        return { kvLists: alarms, durableObjectRequests: alarms, durableObjectRowsWritten: alarms }
      },
      keeps: "durableObject",
      lagMillis: 0
    }
  })

/** An object's own storage, as far as its pace needs one. */
const paceStorage = (): PaceStorage => {
  const kept = new Map<string, unknown>()
  return { get: <A>(key: string) => kept.get(key) as A | undefined, put: (key, at) => kept.set(key, at) }
}

const rowOf = ({ collection, key, size }: WorkloadEntry, number: number): ShardRow => ({
  packed: collection.policy.packed ?? false,
  id: addressOf(collection, key).id,
  version: zeroStamp,
  ahead: [],
  deletedAt: 0,
  body: {
    value: ReplayedValue.encode(0, size, number),
    contentType: defaultContentType,
    tags: collection.policy.tags,
    expiresAt: Number.POSITIVE_INFINITY,
    loadMillis: 0
  }
})

/**
 * Values are stand-ins of a few bytes, so the snapshots' limits are cut down as they are: an image falls into as many
 * KV values as a real one would that compresses as well.
 */
const snapshotLimits = (entries: ReadonlyArray<WorkloadEntry>): SnapshotsKv.SnapshotsKvOptions => {
  let standing = 0
  let declared = 0
  for (const [number, entry] of entries.entries()) {
    const row = rowOf(entry, number)
    const bytes = rowBytes({ id: row.id, bytes: row.body!.value.byteLength })
    standing += bytes
    declared += bytes - row.body!.value.byteLength + entry.size
  }
  const scaled = (mebibytes: number): number =>
    Math.ceil(mebibytes * 1024 * 1024 * Math.min(1, standing / Math.max(1, declared)))
  return {
    wholeBytes: scaled(0.25),
    inlineBytes: scaled(8),
    segmentBytes: scaled(8),
    blockBytes: scaled(4),
    partBytes: scaled(24)
  }
}
