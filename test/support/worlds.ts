import * as Layer from "effect/Layer"
import * as BatcherCoalescing from "../../src/layers/batching/BatcherCoalescing.ts"
import * as DurableCacheMemory from "../../src/layers/durable/DurableCacheMemory.ts"
import * as KvMemory from "../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../src/layers/ledger/LedgerMemory.ts"
import * as StoreDirect from "../../src/layers/routing/StoreDirect.ts"
import * as StoreDurable from "../../src/layers/routing/StoreDurable.ts"
import * as StoreKvPacked from "../../src/layers/routing/StoreKvPacked.ts"
import * as SettingsConfig from "../../src/layers/settings/SettingsConfig.ts"
import * as OutboxMemory from "../../src/layers/snapshots/OutboxMemory.ts"
import * as SnapshotsMemory from "../../src/layers/snapshots/SnapshotsMemory.ts"
import * as StamperRandom from "../../src/layers/store/StamperRandom.ts"
import * as EdgeCacheMemory from "../../src/layers/tiers/EdgeCacheMemory.ts"
import * as EdgeCacheMetered from "../../src/layers/tiers/EdgeCacheMetered.ts"
import * as EdgeCacheOff from "../../src/layers/tiers/EdgeCacheOff.ts"
import * as MemoryTierTinyLfu from "../../src/layers/tiers/MemoryTierTinyLfu.ts"
import * as ReadPathTiered from "../../src/layers/tiers/ReadPathTiered.ts"
import * as SingleFlightDeferred from "../../src/layers/tiers/SingleFlightDeferred.ts"
import type { Kv } from "../../src/services/kv/Kv.ts"
import type { SettingsValues } from "../../src/services/settings/Settings.ts"
import type { EdgeCache } from "../../src/services/tiers/EdgeCache.ts"

/** One isolate's world over a metered KV; what is not named is left out. */
export const world = (
  options: {
    readonly kv?: Layer.Layer<Kv>
    readonly edge?: Layer.Layer<EdgeCache>
    readonly settings?: Partial<SettingsValues>
    readonly memoryBytes?: number
  } = {}
) =>
  Layer.empty.pipe(
    Layer.provideMerge(ReadPathTiered.layer),
    Layer.provideMerge(SingleFlightDeferred.layer),
    Layer.provideMerge(MemoryTierTinyLfu.layer(options.memoryBytes ?? 10_000_000)),
    Layer.provideMerge(EdgeCacheMetered.layer),
    Layer.provideMerge(options.edge ?? EdgeCacheOff.layer),
    Layer.provideMerge(KvMetered.layer("CACHE_KV")),
    Layer.provideMerge(options.kv ?? KvMemory.layer),
    Layer.provideMerge(LedgerMemory.layer),
    Layer.provideMerge(StamperRandom.layerNamed("test")),
    Layer.provideMerge(SettingsConfig.layerOf(options.settings))
  )

export const kvMode = (options: Parameters<typeof world>[0] = {}) =>
  Layer.provideMerge(StoreKvPacked.layer, world(options))

/** The same with the batcher: reads of one tick together, and a buffer for what is written behind. */
export const kvModeBatching = (options: Parameters<typeof world>[0] = {}) =>
  kvMode(options).pipe(Layer.provideMerge(BatcherCoalescing.layer))

export const kvModeWithEdge = (options: Parameters<typeof world>[0] = {}) =>
  kvMode({ edge: EdgeCacheMemory.layer, ...options })

export const directMode = (options: Parameters<typeof world>[0] = {}) =>
  Layer.provideMerge(StoreDirect.layer, world(options))

export const durableMode = (options: Parameters<typeof world>[0] & { readonly shards?: number } = {}) =>
  StoreDurable.layer.pipe(
    Layer.provideMerge(DurableCacheMemory.layer(options.shards)),
    Layer.provideMerge(OutboxMemory.layer),
    Layer.provideMerge(SnapshotsMemory.layer),
    Layer.provideMerge(
      world({ ...options, settings: { ...options.settings, ...(options.shards && { shards: options.shards }) } })
    )
  )
