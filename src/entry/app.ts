import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as BackgroundWorker from "../layers/BackgroundWorker.ts"
import * as DurableCacheBinding from "../layers/DurableCacheBinding.ts"
import * as DurableCacheOff from "../layers/DurableCacheOff.ts"
import * as EdgeCacheBinding from "../layers/EdgeCacheBinding.ts"
import * as EdgeCacheMetered from "../layers/EdgeCacheMetered.ts"
import * as EdgeCacheOff from "../layers/EdgeCacheOff.ts"
import * as KvBinding from "../layers/KvBinding.ts"
import * as KvMetered from "../layers/KvMetered.ts"
import * as KvRetrying from "../layers/KvRetrying.ts"
import * as LedgerMemory from "../layers/LedgerMemory.ts"
import * as MemoryTierOff from "../layers/MemoryTierOff.ts"
import * as MemoryTierTinyLfu from "../layers/MemoryTierTinyLfu.ts"
import * as OutboxKv from "../layers/OutboxKv.ts"
import * as ReadPathTiered from "../layers/ReadPathTiered.ts"
import * as RecordedModeKv from "../layers/RecordedModeKv.ts"
import * as RetryPolicyHttp from "../layers/RetryPolicyHttp.ts"
import * as SettingsConfig from "../layers/SettingsConfig.ts"
import * as SingleFlightPromise from "../layers/SingleFlightPromise.ts"
import * as SnapshotsKv from "../layers/SnapshotsKv.ts"
import * as StamperRandom from "../layers/StamperRandom.ts"
import * as StoreDurable from "../layers/StoreDurable.ts"
import * as StoreKv from "../layers/StoreKv.ts"
import * as StoresOfRecordBoth from "../layers/StoresOfRecordBoth.ts"
import { Bindings } from "../services/Bindings.ts"
import type { DurableCache } from "../services/DurableCache.ts"
import type { EdgeCache } from "../services/EdgeCache.ts"
import type { Kv } from "../services/Kv.ts"
import type { Ledger } from "../services/Ledger.ts"
import type { MemoryTier } from "../services/MemoryTier.ts"
import type { ReadPath } from "../services/ReadPath.ts"
import { Settings } from "../services/Settings.ts"
import type { Stamper } from "../services/Stamper.ts"
import type { Store } from "../services/Store.ts"
import * as Http from "./http.ts"
import { problem, toResponse } from "./problem.ts"
import * as Scheduled from "./scheduled.ts"

/** The bindings and variables of wrangler.toml. Nobody but this file reads them. */
export interface Env {
  readonly CACHE_KV: KVNamespace
  /** Snapshots and outbox of the durable mode. */
  readonly CACHE_DO_KV?: KVNamespace
  readonly CACHE_DO?: DurableObjectNamespace
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

/** A namespace, its every operation counted and its transient failures tried again. */
const kv = (name: string, binding: KVNamespace) =>
  KvRetrying.layer.pipe(
    Layer.provide(RetryPolicyHttp.layer),
    Layer.provide(KvMetered.layer(name)),
    Layer.provide(KvBinding.layer(binding))
  )

const durableCache = (env: Env): Layer.Layer<DurableCache, never, Settings | Ledger> => {
  const namespace = env.CACHE_DO
  return namespace === undefined
    ? DurableCacheOff.layer
    : Layer.unwrapEffect(Effect.map(Settings, ({ shards }) => DurableCacheBinding.layer(namespace, shards)))
}

/** What lies in the objects' own namespace. */
const outsideObjects = (binding: KVNamespace) =>
  Layer.mergeAll(OutboxKv.layer, SnapshotsKv.layer, RecordedModeKv.layer).pipe(
    Layer.provide(kv("CACHE_DO_KV", binding))
  )

/**
 * The one place where the mode is chosen: `FEATURE_FLAG_DO_CACHE`, and whether there are objects to keep anything. With
 * objects, both stores of record can be reached, whichever is in force.
 */
const stores = (env: Env): Layer.Layer<Store, never, Kv | DurableCache | ReadPath | Settings | Stamper | Ledger> => {
  const namespace = env.CACHE_DO_KV
  if (env.CACHE_DO === undefined || namespace === undefined) return StoreKv.layer
  const store: ReturnType<typeof stores> = Layer.unwrapEffect(
    Effect.map(
      Settings,
      ({ durableMode }): ReturnType<typeof stores> =>
        durableMode ? Layer.provide(StoreDurable.layer, outsideObjects(namespace)) : StoreKv.layer
    )
  )
  return Layer.merge(store, Layer.provide(StoresOfRecordBoth.layer, outsideObjects(namespace)))
}

/** Everything an isolate needs: synchronous, without I/O. It fails only when a variable is wrong. */
export const layer = (env: Env) =>
  stores(env).pipe(
    Layer.provideMerge(durableCache(env)),
    Layer.provideMerge(ReadPathTiered.layer),
    Layer.provideMerge(SingleFlightPromise.layer),
    Layer.provideMerge(memoryTier),
    Layer.provideMerge(EdgeCacheMetered.layer),
    Layer.provide(edgeCache),
    Layer.provideMerge(kv("CACHE_KV", env.CACHE_KV)),
    Layer.provideMerge(Layer.succeed(Bindings, bindings(env))),
    Layer.provideMerge(LedgerMemory.layer),
    Layer.provideMerge(StamperRandom.layer),
    Layer.provideMerge(SettingsConfig.layer),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(variables(env))))
  )

type Waiting = Pick<ExecutionContext, "waitUntil">

/** What an isolate answers and does, built once. */
interface Isolate {
  readonly fetch: (request: Request, context: Waiting) => Promise<Response>
  readonly scheduled: (cron: string, context: Waiting) => Promise<void>
}

const makeIsolate = (env: Env): Isolate => {
  const runtime = ManagedRuntime.make(layer(env))
  const handle = runtime.runSync(Http.make)
  const ring = runtime.runSync(Scheduled.make)
  return {
    fetch: (request, context) => handle(request, BackgroundWorker.make(context)),
    scheduled: (cron, context) => ring(cron, BackgroundWorker.make(context))
  }
}

/** A Worker whose variables make no sense says so to whoever deployed it, in the log, and answers nobody. */
const misconfigured = (error: unknown): Isolate => {
  Effect.runSync(Effect.logFatal("this Worker's variables are not valid", error))
  return {
    fetch: async (request) => toResponse(request, problem("misconfigured", "see this Worker's log")),
    scheduled: async () => {}
  }
}

const isolates = new WeakMap<Env, Isolate>()

const isolateOf = (env: Env): Isolate => {
  let isolate = isolates.get(env)
  if (isolate === undefined) {
    try {
      isolate = makeIsolate(env)
    } catch (error) {
      isolate = misconfigured(error)
    }
    isolates.set(env, isolate)
  }
  return isolate
}

/** The Worker's answer to a request. Everything is built once per isolate, where `env` is one object. */
export const serve = (env: Env): Isolate["fetch"] => isolateOf(env).fetch

/** What the Worker does when a cron rings. */
export const ring = (env: Env): Isolate["scheduled"] => isolateOf(env).scheduled
