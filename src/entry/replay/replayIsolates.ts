import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as KeyAliasRules from "../../layers/aliasing/KeyAliasRules.ts"
import * as StoreAliased from "../../layers/aliasing/StoreAliased.ts"
import * as BatcherCoalescing from "../../layers/batching/BatcherCoalescing.ts"
import * as BatcherOff from "../../layers/batching/BatcherOff.ts"
import * as BudgetAccountMemory from "../../layers/budget/BudgetAccountMemory.ts"
import * as BudgetDaily from "../../layers/budget/BudgetDaily.ts"
import * as LearnedStateStore from "../../layers/prefetch/LearnedStateStore.ts"
import * as StorePrefetching from "../../layers/prefetch/StorePrefetching.ts"
import * as StaticDataBundled from "../../layers/static-data/StaticDataBundled.ts"
import * as StoreStatic from "../../layers/static-data/StoreStatic.ts"
import * as StamperRandom from "../../layers/store/StamperRandom.ts"
import * as EdgeCacheMemory from "../../layers/tiers/EdgeCacheMemory.ts"
import * as EdgeCacheMetered from "../../layers/tiers/EdgeCacheMetered.ts"
import * as EdgeCacheOff from "../../layers/tiers/EdgeCacheOff.ts"
import * as MemoryTierOff from "../../layers/tiers/MemoryTierOff.ts"
import * as MemoryTierTinyLfu from "../../layers/tiers/MemoryTierTinyLfu.ts"
import * as ReadPathTiered from "../../layers/tiers/ReadPathTiered.ts"
import * as SingleFlightDeferred from "../../layers/tiers/SingleFlightDeferred.ts"
import { Background, type BackgroundService } from "../../services/base/Background.ts"
import { Batcher, type BatcherService } from "../../services/batching/Batcher.ts"
import { Budget, type BudgetService, unlimited } from "../../services/budget/Budget.ts"
import { KvInvocation, operationsPerInvocation } from "../../services/kv/KvInvocation.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { Prefetch } from "../../services/prefetch/Prefetch.ts"
import * as ReplayedValue from "../../services/replay/model/ReplayedValue.ts"
import { type Isolate, ReplayFleet } from "../../services/replay/ReplayFleet.ts"
import { Workload } from "../../services/replay/Workload.ts"
import { defaults, Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { Stamper } from "../../services/store/Stamper.ts"
import { Store } from "../../services/store/Store.ts"
import { EdgeCache } from "../../services/tiers/EdgeCache.ts"
import type { ReadPath } from "../../services/tiers/ReadPath.ts"
import { ValueWeight } from "../../services/tiers/ValueWeight.ts"
import * as ReplayDesk from "./replayDesk.ts"
import * as ReplayNamespace from "./replayNamespace.ts"
import type { Parts } from "./replayOptions.ts"
import * as ReplayPrefetch from "./replayPrefetch.ts"
import * as ReplayShards from "./replayShards.ts"

/** What is simulated always answers in time: deadlines would only cost timers. */
const settings = {
  ...defaults,
  kvDeadline: Duration.infinity,
  edgeDeadline: Duration.infinity,
  durableDeadline: Duration.infinity
}

export interface IsolateOptions {
  readonly parts: Parts
  /** Capacity of one isolate's memory tier. */
  readonly memoryBytes: number
  /** Objects of the stack `durable`. */
  readonly shards: number
  readonly plan: "paid" | "free"
  readonly seed: number
  /** KV writes that a day may cost; undefined for as many as it takes. */
  readonly budgetWrites: number | undefined
  /** Precision that predictions are to reach; the default without it. */
  readonly prefetchPrecision: number | undefined
}

/** The store of record that all isolates share. */
export interface RecordStore {
  /** The store of an isolate in a location. Locations are numbered from 0. */
  readonly storeAt: (location: number, budget: BudgetService) => StackedStore
  /** What it holds, past every cache and every delay. */
  readonly current: (collection: Collection, key: string) => Effect.Effect<Uint8Array | undefined>
  readonly settle: Effect.Effect<void>
  readonly atRest: ReplayFleet["Type"]["atRest"]
  readonly keeps: ReplayFleet["Type"]["keeps"]
  readonly lagMillis: number
}

/**
 * One stack's isolates over one store of record, and per location an edge cache. An isolate's layers are built
 * synchronously, as they must be in a Worker.
 */
export const layer = (options: IsolateOptions): Layer.Layer<ReplayFleet, never, Workload | Ledger> =>
  Layer.effect(
    ReplayFleet,
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const account = BudgetAccountMemory.make()
      const makeBudget = (): BudgetService =>
        options.budgetWrites === undefined ? unlimited : BudgetDaily.make({ writes: options.budgetWrites }, account)
      const record = yield* options.parts.has("durable")
        ? ReplayShards.make(options, makeBudget())
        : ReplayNamespace.make(options)
      const workload = yield* Workload
      const collections = new Map(workload.entries.map(({ collection }) => [collection.name, collection]))
      const inForce = { ...settings, collections, shards: options.shards }
      const shared = Layer.mergeAll(
        Layer.succeed(Ledger, ledger),
        Layer.succeed(Settings, inForce),
        Layer.succeed(ValueWeight, ReplayedValue.weigh)
      )
      const edges = new Map<number, Layer.Layer<EdgeCache>>()
      const edgeAt = (location: number): Layer.Layer<EdgeCache> => {
        const known = edges.get(location)
        if (known !== undefined) return known
        const made = options.parts.has("edge")
          ? Layer.succeed(EdgeCache, EdgeCacheMetered.make(EdgeCacheMemory.make(), ledger))
          : EdgeCacheOff.layer
        edges.set(location, made)
        return made
      }
      const prefetch = ReplayPrefetch.make(workload, options.prefetchPrecision)
      const desk = ReplayDesk.make(workload, inForce, options.parts.has("memory"))
      const runtime = yield* Effect.runtime<never>()
      const scope = yield* Scope.make()
      let started = 0

      return {
        start: (location) =>
          Effect.sync(() => {
            started += 1
            const predictor = Layer.succeed(Prefetch, prefetch.predictor(started))
            const budget = makeBudget()
            const stack = fronted(options.parts, record.storeAt(location, budget), predictor).pipe(
              Layer.provide(ReadPathTiered.layer),
              Layer.provide(
                options.parts.has("memory") ? MemoryTierTinyLfu.layer(options.memoryBytes) : MemoryTierOff.layer
              ),
              Layer.provide(SingleFlightDeferred.layer),
              Layer.provide(edgeAt(location)),
              Layer.provide(StamperRandom.layerNamed(`isolate-${started}`)),
              Layer.provide(shared)
            )
            const batcher = options.parts.has("batch") ? BatcherCoalescing.layer : BatcherOff.layer
            const built = Runtime.runSync(runtime)(
              Layer.buildWithScope(
                Layer.provideMerge(stack, batcher).pipe(Layer.provide(Layer.succeed(Budget, budget))),
                scope
              )
            )
            return isolateOf(Context.get(built, Store), Context.get(built, Batcher), desk())
          }),
        current: record.current,
        settle: record.settle,
        atRest: record.atRest,
        keeps: record.keeps,
        lagMillis: record.lagMillis,
        predicted: options.parts.has("prefetch") ? prefetch.result : undefined
      }
    })
  )

type StackedStore = Layer.Layer<Store, never, ReadPath | Settings | Stamper | Ledger>

/** The parts that stand before the tiers: other spellings first, then what is bundled. */
const fronted = (parts: Parts, store: StackedStore, predictor: Layer.Layer<Prefetch>): StackedStore => {
  const predicting: StackedStore = parts.has("prefetch")
    ? (parts.has("durable")
        ? Layer.provideMerge(StorePrefetching.layerPiggybacking, LearnedStateStore.layerDurable)
        : Layer.provideMerge(StorePrefetching.layerReading, LearnedStateStore.layerKv)
      ).pipe(Layer.provide(store), Layer.provide(predictor))
    : store
  const withTables: StackedStore = parts.has("static")
    ? Layer.provide(StoreStatic.layer, Layer.merge(predicting, StaticDataBundled.layerOf()))
    : predicting
  return parts.has("alias")
    ? Layer.provide(StoreAliased.layer, Layer.merge(withTables, KeyAliasRules.layer))
    : withTables
}

const isolateOf = (
  store: Store["Type"],
  batcher: BatcherService,
  desk: Pick<Isolate, "desk" | "throttlesInMemory">
): Isolate => {
  const work = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  const background = (): BackgroundService => ({
    run: (effect) =>
      Effect.map(Effect.forkDaemon(effect), (fiber) => {
        work.add(fiber)
        fiber.addObserver(() => work.delete(fiber))
      }),
    promise: () => undefined
  })
  return {
    store,
    ...desk,
    flush: Effect.asVoid(batcher.flush("all")),
    invoke: (effect) =>
      Effect.suspend(() =>
        Effect.provide(
          effect,
          Context.add(Context.make(Background, background()), KvInvocation, { remaining: operationsPerInvocation })
        )
      ),
    kill: Effect.suspend(() => Effect.forEach(work, Fiber.interruptFork, { discard: true }))
  }
}
