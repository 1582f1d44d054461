import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyAliasOff from "../layers/aliasing/KeyAliasOff.ts"
import * as KeyAliasRules from "../layers/aliasing/KeyAliasRules.ts"
import * as StoreAliased from "../layers/aliasing/StoreAliased.ts"
import * as LoggerJson from "../layers/base/LoggerJson.ts"
import * as BatcherCoalescing from "../layers/batching/BatcherCoalescing.ts"
import * as BatcherOff from "../layers/batching/BatcherOff.ts"
import * as BudgetAccountKv from "../layers/budget/BudgetAccountKv.ts"
import * as BudgetDaily from "../layers/budget/BudgetDaily.ts"
import * as BudgetUnlimited from "../layers/budget/BudgetUnlimited.ts"
import * as KvBudgeted from "../layers/budget/KvBudgeted.ts"
import * as StoreCompressed from "../layers/compression/StoreCompressed.ts"
import * as BudgetAccountBinding from "../layers/durable/BudgetAccountBinding.ts"
import * as DurableCacheBinding from "../layers/durable/DurableCacheBinding.ts"
import * as DurableCacheOff from "../layers/durable/DurableCacheOff.ts"
import * as RateLeaseBinding from "../layers/durable/RateLeaseBinding.ts"
import * as RecordedTopologyKv from "../layers/durable/RecordedTopologyKv.ts"
import * as ReshardingBinding from "../layers/durable/ReshardingBinding.ts"
import * as KvBinding from "../layers/kv/KvBinding.ts"
import * as KvMetered from "../layers/kv/KvMetered.ts"
import * as KvNamed from "../layers/kv/KvNamed.ts"
import * as KvRetrying from "../layers/kv/KvRetrying.ts"
import * as KvWithinInvocation from "../layers/kv/KvWithinInvocation.ts"
import * as RetryPolicyHttp from "../layers/kv/RetryPolicyHttp.ts"
import * as LedgerMemory from "../layers/ledger/LedgerMemory.ts"
import * as LimitsStorage from "../layers/limits/LimitsStorage.ts"
import * as RateLimiterLeased from "../layers/limits/RateLimiterLeased.ts"
import * as LearnedStateStore from "../layers/prefetch/LearnedStateStore.ts"
import * as PrefetchGraph from "../layers/prefetch/PrefetchGraph.ts"
import * as PrefetchOff from "../layers/prefetch/PrefetchOff.ts"
import * as StorePrefetching from "../layers/prefetch/StorePrefetching.ts"
import * as StoreDurable from "../layers/routing/StoreDurable.ts"
import * as StoreKvPacked from "../layers/routing/StoreKvPacked.ts"
import * as SettingsConfig from "../layers/settings/SettingsConfig.ts"
import * as OutboxKv from "../layers/snapshots/OutboxKv.ts"
import * as SnapshotsKv from "../layers/snapshots/SnapshotsKv.ts"
import * as StamperRandom from "../layers/store/StamperRandom.ts"
import * as EdgeCacheBinding from "../layers/tiers/EdgeCacheBinding.ts"
import * as EdgeCacheMetered from "../layers/tiers/EdgeCacheMetered.ts"
import * as EdgeCacheOff from "../layers/tiers/EdgeCacheOff.ts"
import * as MemoryTierOff from "../layers/tiers/MemoryTierOff.ts"
import * as MemoryTierSettings from "../layers/tiers/MemoryTierSettings.ts"
import * as ReadPathTiered from "../layers/tiers/ReadPathTiered.ts"
import * as SingleFlightPromise from "../layers/tiers/SingleFlightPromise.ts"
import * as StoreAdaptiveTtl from "../layers/tiers/StoreAdaptiveTtl.ts"
import type { KeyAlias } from "../services/aliasing/KeyAlias.ts"
import { breakerLimits } from "../services/base/model/Breaker.ts"
import type { Batcher } from "../services/batching/Batcher.ts"
import { Budget, BudgetLimit } from "../services/budget/Budget.ts"
import type { DurableCache } from "../services/durable/DurableCache.ts"
import { Kv } from "../services/kv/Kv.ts"
import { Ledger } from "../services/ledger/Ledger.ts"
import { notificationSettings } from "../services/notifications/NotificationSettings.ts"
import type { LearnedState } from "../services/prefetch/LearnedState.ts"
import type { Prefetch } from "../services/prefetch/Prefetch.ts"
import { AccessSettings, accessSettings } from "../services/settings/AccessSettings.ts"
import { AllBindings, type Binding, Bindings } from "../services/settings/Bindings.ts"
import type { SettingsGroup } from "../services/settings/model/Setting.ts"
import { cacheSettings, Settings } from "../services/settings/Settings.ts"
import type { SettingsError } from "../services/settings/SettingsError.ts"
import type { Stamper } from "../services/store/Stamper.ts"
import { Store } from "../services/store/Store.ts"
import type { EdgeCache } from "../services/tiers/EdgeCache.ts"
import type { MemoryTier } from "../services/tiers/MemoryTier.ts"
import type { ReadPath } from "../services/tiers/ReadPath.ts"
import type { Application } from "./Application.ts"
import { LayerStack } from "./layerStack.ts"
import { objectsOf } from "./objectBindings.ts"
import { editDistance, variablesOf } from "./variables.ts"

/** The bindings and variables that the cache uses; an application names its own. */
export interface Env {
  readonly CACHE_KV: KVNamespace
  /** Snapshots and outbox of the durable mode. */
  readonly CACHE_DO_KV?: KVNamespace
  readonly CACHE_DO?: DurableObjectNamespace
  /** The static assets, where the Worker itself answers for some of them. */
  readonly ASSETS?: Fetcher
  readonly API_KEYS?: string
  readonly FEATURE_FLAG_DO_CACHE?: string
}

const criticalBindings = ["CACHE_KV", "CACHE_DO"] as const

const bindings = (env: Env): ReadonlyMap<string, boolean> =>
  new Map(criticalBindings.map((name) => [name, (env as unknown as Record<string, unknown>)[name] !== undefined]))

/** What is missed where a binding is. */
const coreBindings = {
  CACHE_KV: "nothing is kept in KV mode: every request of an entry is 503",
  CACHE_DO: "KV mode, whatever FEATURE_FLAG_DO_CACHE says",
  CACHE_DO_KV: "KV mode, whatever FEATURE_FLAG_DO_CACHE says"
}

const allBindings = (env: Env, applications: ReadonlyArray<Application>): ReadonlyArray<Binding> => {
  const known: ReadonlyArray<readonly [string, string]> = [
    coreBindings,
    ...applications.map((it) => it.bindings)
  ].flatMap((it) => Object.entries(it))
  const variables = variablesOf(env)
  const names = known.map(([name]) => name)
  const strange = Object.keys(env).filter((name) => !variables.has(name) && !names.includes(name))
  return known.map(([name, without]) => {
    const bound = (env as unknown as Record<string, unknown>)[name] !== undefined
    const misspelled = bound ? undefined : strange.find((it) => editDistance(it.toUpperCase(), name) <= 2)
    return { name, bound, without, ...(misspelled === undefined ? {} : { misspelled }) }
  })
}

/** The settings of the cache, by room; applications add their own. */
export const groups: ReadonlyArray<SettingsGroup> = [cacheSettings, accessSettings, notificationSettings]

const memoryTier: Layer.Layer<MemoryTier, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ memoryTier }) => (memoryTier ? MemoryTierSettings.layerTinyLfu : MemoryTierOff.layer))
)

const edgeCache: Layer.Layer<EdgeCache, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ edgeHost, edgeTier }) => (edgeTier ? EdgeCacheBinding.layer(edgeHost) : EdgeCacheOff.layer))
)

const keyAlias: Layer.Layer<KeyAlias, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ keyAlias }) => (keyAlias ? KeyAliasRules.layer : KeyAliasOff.layer))
)

/** A namespace, its every operation counted and its transient failures tried again. */
export const kv = (
  name: string,
  binding: KVNamespace,
  conduct: "refusing" | "counting"
): Layer.Layer<Kv, never, Settings | Ledger> =>
  Layer.effect(
    Kv,
    Effect.map(Effect.all([Settings, Ledger, Budget]), ([{ kvOperations }, ledger, budget]) => {
      const metered = KvMetered.make(KvBinding.make(binding), ledger, name)
      const budgeted = KvBudgeted.make(KvWithinInvocation.make(metered, kvOperations), budget, conduct)
      return KvNamed.make(KvRetrying.make(budgeted, RetryPolicyHttp.make), name)
    })
  )

/** Daily allowances, if any: accounted for in the first object, or in one KV value where no objects are in force. */
const budget = (env: Env): Layer.Layer<never, never, Settings | Ledger> =>
  Layer.unwrapEffect(
    Effect.map(Settings, (settings): Layer.Layer<never, never, Ledger> => {
      const { budget } = settings
      if (Object.keys(budget).length === 0) return BudgetUnlimited.layer
      const account =
        env.CACHE_DO === undefined || !settings.durableMode
          ? Layer.provide(
              BudgetAccountKv.layer(budget),
              Layer.fresh(Layer.provide(KvMetered.layer("CACHE_KV"), KvBinding.layer(env.CACHE_KV)))
            )
          : BudgetAccountBinding.layer(env.CACHE_DO)
      return Layer.provide(BudgetDaily.layer(budget), account)
    })
  )

const limitedBudget = Layer.effect(
  Budget,
  Effect.map(Effect.all([Budget, BudgetLimit]), ([budget, limit]) => limit(budget))
)

const durableCache = (env: Env): Layer.Layer<DurableCache, never, Settings | Ledger> => {
  const namespace = env.CACHE_DO
  return namespace === undefined
    ? DurableCacheOff.layer
    : Layer.unwrapEffect(
        Effect.map(Settings, (settings) => {
          const limits = { deadline: settings.durableDeadline, breaker: breakerLimits(settings) }
          return Layer.merge(
            DurableCacheBinding.layer(namespace, settings.shards, limits),
            ReshardingBinding.layer(namespace, settings.shards)
          )
        })
      )
}

/** The one place where the mode is chosen: `FEATURE_FLAG_DO_CACHE`, and whether there are objects to keep anything. */
const stores = (env: Env): Layer.Layer<Store, never, Kv | DurableCache | ReadPath | Settings | Stamper | Ledger> => {
  const objects = objectsOf(env)
  if (objects === undefined) return StoreKvPacked.layer
  const objectsKv = kv("CACHE_DO_KV", objects.CACHE_DO_KV, "counting")
  const topology = Layer.provide(RecordedTopologyKv.layer, objectsKv)
  const outside = Layer.merge(OutboxKv.layer, SnapshotsKv.layer).pipe(Layer.provide(objectsKv), Layer.merge(topology))
  const store: ReturnType<typeof stores> = Layer.unwrapEffect(
    Effect.map(
      Settings,
      ({ durableMode }): ReturnType<typeof stores> =>
        durableMode ? Layer.provide(StoreDurable.layer, outside) : StoreKvPacked.layer
    )
  )
  return Layer.merge(store, topology)
}

const prefetch: Layer.Layer<Prefetch, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ prefetch }) => (prefetch ? PrefetchGraph.layer : PrefetchOff.layer))
)

const learnedState: Layer.Layer<LearnedState, never, Store | Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ durableMode }) => (durableMode ? LearnedStateStore.layerDurable : LearnedStateStore.layerKv))
)

/** Predictions come along with what the objects are asked anyway; KV is asked for them only where that pays. */
const prefetching = Layer.unwrapEffect(
  Effect.map(Settings, ({ durableMode }) =>
    durableMode ? StorePrefetching.layerPiggybacking : StorePrefetching.layerReading
  )
)

const batcher: Layer.Layer<Batcher, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ batcher }) => (batcher ? BatcherCoalescing.layer : BatcherOff.layer))
)

/** The settings, with the mode that is really in force: without objects to keep anything, KV keeps it. */
const settings = (env: Env, applications: ReadonlyArray<Application>) =>
  Layer.effect(
    Settings,
    Effect.map(
      SettingsConfig.config(
        variablesOf(env),
        applications.flatMap(({ collections }) => collections)
      ),
      (values) => ({
        ...values,
        durableMode: values.durableMode && objectsOf(env) !== undefined
      })
    )
  )

/** What the applications put in front of the store, that of the last one outermost. */
const fronts = (env: Env, applications: ReadonlyArray<Application>) =>
  applications.reduce(
    (beneath, { front }) => (front === undefined ? beneath : Layer.provideMerge(front(env), beneath)),
    Layer.service(Store) as Layer.Layer<Store, SettingsError, Store | Settings | Ledger>
  )

const access = (env: Env) => SettingsConfig.layerGroup(accessSettings, variablesOf(env))

/** Where `RATE_LIMIT` says so: by leases of the first object, or, without objects, by what this isolate has counted. */
const rateLimiter = (env: Env) =>
  Layer.unwrapEffect(
    Effect.map(Effect.all([Settings, AccessSettings, Ledger]), ([{ durableMode }, { rateLimit }, ledger]) => {
      if (rateLimit === undefined) return Layer.empty
      const objects = durableMode ? objectsOf(env) : undefined
      const lease =
        objects === undefined ? LimitsStorage.make(nowhere).hit : RateLeaseBinding.make(objects.CACHE_DO, ledger)
      return RateLimiterLeased.layer({ limit: rateLimit, lease })
    })
  )

/** Windows of a minute are kept in memory only. */
const nowhere = { get: () => undefined, put: () => undefined, delete: () => false }

/**
 * The services of the cache that reading and writing entries takes: synchronous, without I/O. It fails only when a
 * variable is wrong. What else applications are offered is in offered.ts.
 *
 * @param beneath references that all of them see
 */
export const layer = (env: Env, applications: ReadonlyArray<Application>, beneath: Layer.Layer<never> = Layer.empty) =>
  LayerStack.of(settings(env, applications))
    .on(access(env))
    .on(LoggerJson.layer)
    .on(beneath)
    .on(StamperRandom.layer)
    .on(LedgerMemory.layer)
    .on(Layer.succeed(AllBindings, allBindings(env, applications)))
    .on(Layer.succeed(Bindings, bindings(env)))
    .on(budget(env))
    .on(limitedBudget)
    .on(rateLimiter(env))
    .on(kv("CACHE_KV", env.CACHE_KV, "refusing"))
    .on(edgeCache)
    .on(EdgeCacheMetered.layer)
    .on(memoryTier)
    .on(SingleFlightPromise.layer)
    .on(ReadPathTiered.layer)
    .on(durableCache(env))
    .on(batcher)
    .on(stores(env))
    .on(prefetch)
    .on(learnedState)
    .on(prefetching)
    .on(StoreCompressed.layer)
    .on(StoreAdaptiveTtl.layer)
    .on(fronts(env, applications))
    .on(keyAlias)
    .on(StoreAliased.layer).layer
