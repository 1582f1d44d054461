import * as Layer from "effect/Layer"
import * as BatcherCoalescing from "../../src/layers/BatcherCoalescing.ts"
import * as DurableCacheMemory from "../../src/layers/DurableCacheMemory.ts"
import * as EdgeCacheMemory from "../../src/layers/EdgeCacheMemory.ts"
import * as EdgeCacheMetered from "../../src/layers/EdgeCacheMetered.ts"
import * as EdgeCacheOff from "../../src/layers/EdgeCacheOff.ts"
import * as KvMemory from "../../src/layers/KvMemory.ts"
import * as KvMetered from "../../src/layers/KvMetered.ts"
import * as LedgerMemory from "../../src/layers/LedgerMemory.ts"
import * as MemoryTierTinyLfu from "../../src/layers/MemoryTierTinyLfu.ts"
import * as OutboxMemory from "../../src/layers/OutboxMemory.ts"
import * as ReadPathTiered from "../../src/layers/ReadPathTiered.ts"
import * as SettingsConfig from "../../src/layers/SettingsConfig.ts"
import * as SingleFlightDeferred from "../../src/layers/SingleFlightDeferred.ts"
import * as SnapshotsMemory from "../../src/layers/SnapshotsMemory.ts"
import * as StamperRandom from "../../src/layers/StamperRandom.ts"
import * as StoreDirect from "../../src/layers/StoreDirect.ts"
import * as StoreDurable from "../../src/layers/StoreDurable.ts"
import * as StoreKv from "../../src/layers/StoreKv.ts"
import type { EdgeCache } from "../../src/services/EdgeCache.ts"
import type { Kv } from "../../src/services/Kv.ts"
import type { SettingsValues } from "../../src/services/Settings.ts"

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

export const kvMode = (options: Parameters<typeof world>[0] = {}) => Layer.provideMerge(StoreKv.layer, world(options))

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
