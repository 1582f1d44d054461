import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BatcherCoalescing from "../layers/BatcherCoalescing.ts"
import * as BatcherOff from "../layers/BatcherOff.ts"
import * as BudgetAccountBinding from "../layers/BudgetAccountBinding.ts"
import * as BudgetAccountKv from "../layers/BudgetAccountKv.ts"
import * as BudgetDaily from "../layers/BudgetDaily.ts"
import * as BudgetUnlimited from "../layers/BudgetUnlimited.ts"
import * as DurableCacheBinding from "../layers/DurableCacheBinding.ts"
import * as DurableCacheOff from "../layers/DurableCacheOff.ts"
import * as EdgeCacheBinding from "../layers/EdgeCacheBinding.ts"
import * as EdgeCacheMetered from "../layers/EdgeCacheMetered.ts"
import * as EdgeCacheOff from "../layers/EdgeCacheOff.ts"
import * as KeyAliasOff from "../layers/KeyAliasOff.ts"
import * as KeyAliasRules from "../layers/KeyAliasRules.ts"
import * as KvBinding from "../layers/KvBinding.ts"
import * as KvBudgeted from "../layers/KvBudgeted.ts"
import * as KvMetered from "../layers/KvMetered.ts"
import * as KvRetrying from "../layers/KvRetrying.ts"
import * as LearnedStateStore from "../layers/LearnedStateStore.ts"
import * as LedgerMemory from "../layers/LedgerMemory.ts"
import * as MemoryTierOff from "../layers/MemoryTierOff.ts"
import * as MemoryTierTinyLfu from "../layers/MemoryTierTinyLfu.ts"
import * as ModeHeartbeatBinding from "../layers/ModeHeartbeatBinding.ts"
import * as OutboxKv from "../layers/OutboxKv.ts"
import * as PrefetchGraph from "../layers/PrefetchGraph.ts"
import * as PrefetchOff from "../layers/PrefetchOff.ts"
import * as ReadPathTiered from "../layers/ReadPathTiered.ts"
import * as RecordedModeKv from "../layers/RecordedModeKv.ts"
import * as RecordedTopologyKv from "../layers/RecordedTopologyKv.ts"
import * as ReshardingBinding from "../layers/ReshardingBinding.ts"
import * as RetryPolicyHttp from "../layers/RetryPolicyHttp.ts"
import * as SectorsColumnar from "../layers/SectorsColumnar.ts"
import type * as SentimentWorkersAi from "../layers/SentimentWorkersAi.ts"
import * as SettingsConfig from "../layers/SettingsConfig.ts"
import * as SingleFlightPromise from "../layers/SingleFlightPromise.ts"
import * as SnapshotsKv from "../layers/SnapshotsKv.ts"
import * as StamperRandom from "../layers/StamperRandom.ts"
import * as StaticDataBundled from "../layers/StaticDataBundled.ts"
import * as StoreAdapting from "../layers/StoreAdapting.ts"
import * as StoreAliased from "../layers/StoreAliased.ts"
import * as StoreDurable from "../layers/StoreDurable.ts"
import * as StoreKv from "../layers/StoreKv.ts"
import * as StorePrefetching from "../layers/StorePrefetching.ts"
import * as StoreStatic from "../layers/StoreStatic.ts"
import * as StoresOfRecordBoth from "../layers/StoresOfRecordBoth.ts"
import type { Batcher } from "../services/Batcher.ts"
import { Bindings } from "../services/Bindings.ts"
import type { DurableCache } from "../services/DurableCache.ts"
import type { EdgeCache } from "../services/EdgeCache.ts"
import type { KeyAlias } from "../services/KeyAlias.ts"
import type { Kv } from "../services/Kv.ts"
import type { LearnedState } from "../services/LearnedState.ts"
import type { Ledger } from "../services/Ledger.ts"
import type { MemoryTier } from "../services/MemoryTier.ts"
import type { Prefetch } from "../services/Prefetch.ts"
import type { ReadPath } from "../services/ReadPath.ts"
import { Settings } from "../services/Settings.ts"
import type { Stamper } from "../services/Stamper.ts"
import type { Store } from "../services/Store.ts"
import { desk, newsroom } from "./appDesk.ts"
import { objectsInForce, objectsOf } from "./objectBindings.ts"

/** The bindings and variables of wrangler.toml. Nobody but this file reads them. */
export interface Env {
  readonly CACHE_KV: KVNamespace
  /** Snapshots and outbox of the durable mode. */
  readonly CACHE_DO_KV?: KVNamespace
  readonly CACHE_DO?: DurableObjectNamespace
  /** Workers AI reads headlines where it is bound, a lexicon where it is not. */
  readonly AI?: SentimentWorkersAi.AiBinding
  readonly API_KEYS?: string
  readonly FEATURE_FLAG_DO_CACHE?: string
}

const criticalBindings = ["CACHE_KV", "CACHE_DO"] as const

const bindings = (env: Env): ReadonlyMap<string, boolean> =>
  new Map(criticalBindings.map((name) => [name, (env as unknown as Record<string, unknown>)[name] !== undefined]))

/** Only strings: a live binding is an argument of its layer, never configuration. */
const variables = (env: Env): Map<string, string> =>
  new Map(Object.entries(env).filter((entry): entry is [string, string] => typeof entry[1] === "string"))

const memoryTier: Layer.Layer<MemoryTier, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ memoryTier }) => (memoryTier ? MemoryTierTinyLfu.layerSettings : MemoryTierOff.layer))
)

const edgeCache: Layer.Layer<EdgeCache, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ edgeHost, edgeTier }) => (edgeTier ? EdgeCacheBinding.layer(edgeHost) : EdgeCacheOff.layer))
)

const keyAlias: Layer.Layer<KeyAlias, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ keyAlias }) => (keyAlias ? KeyAliasRules.layer : KeyAliasOff.layer))
)

/**
 * A namespace, its every operation counted and its transient failures tried again. Fresh only within: there is more than
 * one namespace, and a layer that is itself fresh is built wherever it is provided.
 */
const kv = (name: string, binding: KVNamespace, conduct: "refusing" | "counting") =>
  Layer.fresh(KvRetrying.layer).pipe(
    Layer.provide(RetryPolicyHttp.layer),
    Layer.provide(KvBudgeted.layer(conduct)),
    Layer.provide(KvMetered.layer(name)),
    Layer.provide(KvBinding.layer(binding))
  )

/** Daily allowances, if any: accounted for in the first object, or in one KV value where no objects are in force. */
const budget = (env: Env): Layer.Layer<never, never, Settings | Ledger> =>
  Layer.unwrapEffect(
    Effect.map(Settings, (settings): Layer.Layer<never, never, Ledger> => {
      const { budget } = settings
      if (Object.keys(budget).length === 0) return BudgetUnlimited.layer
      const objects = objectsInForce(env, settings)
      const account =
        objects === undefined
          ? Layer.provide(
              BudgetAccountKv.layer(budget),
              Layer.fresh(Layer.provide(KvMetered.layer("CACHE_KV"), KvBinding.layer(env.CACHE_KV)))
            )
          : BudgetAccountBinding.layer(objects.CACHE_DO)
      return Layer.provide(BudgetDaily.layer(budget), account)
    })
  )

const durableCache = (env: Env): Layer.Layer<DurableCache, never, Settings | Ledger> => {
  const namespace = env.CACHE_DO
  return namespace === undefined
    ? DurableCacheOff.layer
    : Layer.unwrapEffect(
        Effect.map(Settings, ({ shards }) =>
          Layer.merge(DurableCacheBinding.layer(namespace, shards), ReshardingBinding.layer(namespace, shards))
        )
      )
}

/**
 * The one place where the mode is chosen: `FEATURE_FLAG_DO_CACHE`, and whether there are objects to keep anything. With
 * objects, both stores of record can be reached, whichever is in force.
 */
const stores = (env: Env): Layer.Layer<Store, never, Kv | DurableCache | ReadPath | Settings | Stamper | Ledger> => {
  const objects = objectsOf(env)
  if (objects === undefined) return StoreKv.layer
  const objectsKv = kv("CACHE_DO_KV", objects.CACHE_DO_KV, "counting")
  const topology = Layer.provide(RecordedTopologyKv.layer, objectsKv)
  const outside = Layer.mergeAll(OutboxKv.layer, SnapshotsKv.layer, RecordedModeKv.layer).pipe(
    Layer.provide(objectsKv),
    Layer.merge(topology)
  )
  const store: ReturnType<typeof stores> = Layer.unwrapEffect(
    Effect.map(
      Settings,
      ({ durableMode }): ReturnType<typeof stores> =>
        durableMode ? Layer.provide(StoreDurable.layer, outside) : StoreKv.layer
    )
  )
  const heartbeat = ModeHeartbeatBinding.layer(objects.CACHE_DO)
  return Layer.mergeAll(store, Layer.provide(StoresOfRecordBoth.layer, Layer.merge(outside, heartbeat)), topology)
}

const prefetch: Layer.Layer<Prefetch, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ prefetch }) => (prefetch ? PrefetchGraph.layer : PrefetchOff.layer))
)

/** Predictions come along with what the objects are asked anyway; KV is asked for them only where that pays. */
const prefetching = (
  env: Env
): Layer.Layer<Store | Prefetch | LearnedState, never, Store | ReadPath | Settings | Ledger> =>
  Layer.unwrapEffect(
    Effect.map(Settings, (settings) =>
      objectsInForce(env, settings) === undefined
        ? Layer.provideMerge(StorePrefetching.layerReading, LearnedStateStore.layerKv)
        : Layer.provideMerge(StorePrefetching.layerRiding, LearnedStateStore.layerDurable)
    )
  ).pipe(Layer.provideMerge(prefetch))

const batcher: Layer.Layer<Batcher, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ batcher }) => (batcher ? BatcherCoalescing.layer : BatcherOff.layer))
)

/** Everything an isolate needs: synchronous, without I/O. It fails only when a variable is wrong. */
export const layer = (env: Env) =>
  desk(env).pipe(
    Layer.provideMerge(StoreAliased.layer),
    Layer.provideMerge(keyAlias),
    Layer.provideMerge(StoreStatic.layer),
    Layer.provideMerge(Layer.provideMerge(StoreAdapting.layer, prefetching(env))),
    Layer.provideMerge(stores(env)),
    Layer.provideMerge(newsroom(env)),
    Layer.provideMerge(Layer.mergeAll(SectorsColumnar.layer, StaticDataBundled.layer, batcher)),
    Layer.provideMerge(durableCache(env)),
    Layer.provideMerge(ReadPathTiered.layer),
    Layer.provideMerge(SingleFlightPromise.layer),
    Layer.provideMerge(memoryTier),
    Layer.provideMerge(EdgeCacheMetered.layer),
    Layer.provide(edgeCache),
    Layer.provideMerge(kv("CACHE_KV", env.CACHE_KV, "refusing")),
    Layer.provideMerge(budget(env)),
    Layer.provideMerge(Layer.succeed(Bindings, bindings(env))),
    Layer.provideMerge(LedgerMemory.layer),
    Layer.provideMerge(StamperRandom.layer),
    Layer.provideMerge(SettingsConfig.layer),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(variables(env))))
  )
