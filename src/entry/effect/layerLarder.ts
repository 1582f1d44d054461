import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BackgroundWorker from "../../layers/base/BackgroundWorker.ts"
import * as StoreCompressed from "../../layers/compression/StoreCompressed.ts"
import * as KvBinding from "../../layers/kv/KvBinding.ts"
import * as KvMetered from "../../layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../layers/ledger/LedgerMemory.ts"
import * as RepositoryStore from "../../layers/repository/RepositoryStore.ts"
import * as StoreKvPacked from "../../layers/routing/StoreKvPacked.ts"
import * as SettingsConfig from "../../layers/settings/SettingsConfig.ts"
import * as StamperRandom from "../../layers/store/StamperRandom.ts"
import * as EdgeCacheBinding from "../../layers/tiers/EdgeCacheBinding.ts"
import * as EdgeCacheOff from "../../layers/tiers/EdgeCacheOff.ts"
import * as MemoryTierSettings from "../../layers/tiers/MemoryTierSettings.ts"
import * as ReadPathTiered from "../../layers/tiers/ReadPathTiered.ts"
import * as SingleFlightPromise from "../../layers/tiers/SingleFlightPromise.ts"
import { Background } from "../../services/base/Background.ts"
import type { Kv } from "../../services/kv/Kv.ts"
import type { Ledger } from "../../services/ledger/Ledger.ts"
import type { Repository } from "../../services/repository/Repository.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { Stamper } from "../../services/store/Stamper.ts"
import type { Store } from "../../services/store/Store.ts"
import type { EdgeCache } from "../../services/tiers/EdgeCache.ts"
import type { MemoryTier } from "../../services/tiers/MemoryTier.ts"
import type { ReadPath } from "../../services/tiers/ReadPath.ts"
import type { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import { variablesOf } from "../variables.ts"

/** What the default stack gives. */
export type Services =
  | Store
  | Repository
  | ReadPath
  | SingleFlight
  | MemoryTier
  | EdgeCache
  | Kv
  | Ledger
  | Stamper
  | Settings

/** The environment: strings are settings (docs/operations.md), the namespace is where entries are kept. */
export interface LarderEnv {
  readonly CACHE_KV: KVNamespace
}

export interface LarderOptions {
  /** Of the typed collections that are used. */
  readonly collections?: ReadonlyArray<Collection>
  /** In place of the default: memory by W-TinyLFU. */
  readonly memory?: Layer.Layer<MemoryTier, never, Settings>
  /** In place of the default: the Cache API, or nothing where `EDGE_TIER` is `off`. */
  readonly edge?: Layer.Layer<EdgeCache, never, Settings>
  /** In place of `CACHE_KV`, counted. */
  readonly kv?: Layer.Layer<Kv, never, Ledger>
  /** In place of KV as the store of record. */
  readonly store?: Layer.Layer<Store, never, Kv | ReadPath | Settings | Stamper | Ledger>
  /** In place of the one in this isolate's memory. */
  readonly ledger?: Layer.Layer<Ledger>
}

const edgeOfSettings: Layer.Layer<EdgeCache, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ edgeHost, edgeTier }) => (edgeTier ? EdgeCacheBinding.layer(edgeHost) : EdgeCacheOff.layer))
)

/**
 * The default stack over one namespace: memory, edge, single-flight, KV, and the typed repository. Synchronous and
 * without I/O, so that it is built once per isolate; it dies where a variable of `env` is no setting's value.
 *
 * @example
 * const runtime = ManagedRuntime.make(Larder.layer(env, { collections: [quotes.collection] }))
 */
export const layer = (env: LarderEnv, options: LarderOptions = {}): Layer.Layer<Services> => {
  const {
    collections = [],
    edge = edgeOfSettings,
    kv = Layer.provide(KvMetered.layer("CACHE_KV"), KvBinding.layer(env.CACHE_KV)),
    ledger = LedgerMemory.layer,
    memory = MemoryTierSettings.layerTinyLfu,
    store = StoreKvPacked.layer
  } = options
  const settings = Layer.effect(Settings, SettingsConfig.config(variablesOf(env), collections))
  return RepositoryStore.layer.pipe(
    Layer.provideMerge(Layer.provideMerge(StoreCompressed.layer, store)),
    Layer.provideMerge(ReadPathTiered.layer),
    Layer.provideMerge(SingleFlightPromise.layer),
    Layer.provideMerge(memory),
    Layer.provideMerge(edge),
    Layer.provideMerge(kv),
    Layer.provideMerge(ledger),
    Layer.provideMerge(StamperRandom.layer),
    Layer.provideMerge(settings),
    Layer.orDie
  )
}

/** Work past the response of one event: to be provided to what runs in it. */
export const background = (context: Pick<ExecutionContext, "waitUntil">): Layer.Layer<Background> =>
  Layer.succeed(Background, BackgroundWorker.make(context))
