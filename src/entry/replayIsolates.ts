import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as EdgeCacheMemory from "../layers/EdgeCacheMemory.ts"
import * as EdgeCacheMetered from "../layers/EdgeCacheMetered.ts"
import * as EdgeCacheOff from "../layers/EdgeCacheOff.ts"
import * as KvMetered from "../layers/KvMetered.ts"
import * as KvSimulated from "../layers/KvSimulated.ts"
import * as MemoryTierTinyLfu from "../layers/MemoryTierTinyLfu.ts"
import * as ReadPathTiered from "../layers/ReadPathTiered.ts"
import * as SingleFlightDeferred from "../layers/SingleFlightDeferred.ts"
import * as StamperRandom from "../layers/StamperRandom.ts"
import * as StoreDirect from "../layers/StoreDirect.ts"
import * as StoreKv from "../layers/StoreKv.ts"
import { Background, type BackgroundService } from "../services/Background.ts"
import type { Collection } from "../services/Collection.ts"
import { EdgeCache } from "../services/EdgeCache.ts"
import { type Isolate, Isolates } from "../services/Isolates.ts"
import { Kv } from "../services/Kv.ts"
import { KvInvocation, operationsPerInvocation } from "../services/KvInvocation.ts"
import { Ledger } from "../services/Ledger.ts"
import { physicalKey } from "../services/PhysicalKey.ts"
import { freeDailyKv } from "../services/Prices.ts"
import type { ReadPath } from "../services/ReadPath.ts"
import * as ReplayedValue from "../services/ReplayedValue.ts"
import { defaults, Settings } from "../services/Settings.ts"
import type { Stamper } from "../services/Stamper.ts"
import { Store } from "../services/Store.ts"
import { Weigh } from "../services/Weigh.ts"
import { Workload } from "../services/Workload.ts"
import { type Stack, stackOrder } from "./replayOptions.ts"
import * as ReplayShards from "./replayShards.ts"

/** What is simulated always answers in time: deadlines would only cost timers. */
const settings = {
  ...defaults,
  kvDeadline: Duration.infinity,
  edgeDeadline: Duration.infinity,
  durableDeadline: Duration.infinity
}

export interface IsolateOptions {
  readonly stack: Stack
  /** Capacity of one isolate's memory tier. */
  readonly memoryBytes: number
  /** Objects of the stack `durable`. */
  readonly shards: number
  readonly plan: "paid" | "free"
  readonly seed: number
}

/** The store of record that all isolates share. */
export interface RecordStore {
  /** The store of an isolate in a location. Locations are numbered from 0. */
  readonly storeAt: (location: number) => Layer.Layer<Store, never, ReadPath | Settings | Stamper | Ledger>
  /** What it holds at `now` (milliseconds since the epoch), past every cache and every delay. */
  readonly current: (collection: Collection, key: string, now: number) => Uint8Array | undefined
  readonly settle: Effect.Effect<void>
}

/**
 * One stack's isolates over one store of record, and per location an edge cache. An isolate's layers are built
 * synchronously, as they must be in a Worker.
 */
export const layer = (options: IsolateOptions): Layer.Layer<Isolates, never, Workload | Ledger> =>
  Layer.effect(
    Isolates,
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const record = yield* includes(options.stack, "durable") ? ReplayShards.make(options) : makeNamespace(options)
      const shared = Layer.mergeAll(
        Layer.succeed(Ledger, ledger),
        Layer.succeed(Settings, { ...settings, shards: options.shards }),
        Layer.succeed(Weigh, ReplayedValue.weigh)
      )
      const edges = new Map<number, Layer.Layer<EdgeCache>>()
      const edgeAt = (location: number): Layer.Layer<EdgeCache> => {
        const known = edges.get(location)
        if (known !== undefined) return known
        const made = includes(options.stack, "edge")
          ? Layer.succeed(EdgeCache, EdgeCacheMetered.make(EdgeCacheMemory.make(), ledger))
          : EdgeCacheOff.layer
        edges.set(location, made)
        return made
      }
      const runtime = yield* Effect.runtime<never>()
      const scope = yield* Scope.make()
      let started = 0

      return {
        start: (location) =>
          Effect.sync(() => {
            started += 1
            const stack = record
              .storeAt(location)
              .pipe(
                Layer.provide(ReadPathTiered.layer),
                Layer.provide(MemoryTierTinyLfu.layer(options.memoryBytes)),
                Layer.provide(SingleFlightDeferred.layer),
                Layer.provide(edgeAt(location)),
                Layer.provide(StamperRandom.layerNamed(`isolate-${started}`)),
                Layer.provide(shared)
              )
            const built = Runtime.runSync(runtime)(Layer.buildWithScope(stack, scope))
            return isolateOf(Context.get(built, Store), includes(options.stack, "memory"))
          }),
        current: (collection, key) =>
          Effect.map(Clock.currentTimeMillis, (now) => record.current(collection, key, now)),
        settle: record.settle
      }
    })
  )

const includes = (stack: Stack, part: Stack): boolean => stackOrder.indexOf(stack) >= stackOrder.indexOf(part)

/** A simulated namespace as the store of record, every location with its own view of it. */
const makeNamespace = ({ plan, seed, stack }: IsolateOptions): Effect.Effect<RecordStore, never, Workload | Ledger> =>
  Effect.map(Effect.all([Workload, Ledger]), ([{ entries }, ledger]) => {
    const numbers = new Map(entries.map(({ collection, key }, index) => [physicalKey(collection.name, key), index]))
    const world = KvSimulated.makeWorld({
      seed,
      ...(plan === "free" ? { daily: freeDailyKv } : {}),
      initial: (physical) => {
        const entry = entries[numbers.get(physical) ?? -1]
        return entry?.initial ? { value: ReplayedValue.encode(0, entry.size), metadata: null } : undefined
      },
      initialKeys: () => numbers.keys(),
      carried: (entry) => entry
    })
    return {
      storeAt: (location) =>
        (includes(stack, "memory") ? StoreKv.layer : StoreDirect.layer).pipe(
          Layer.provide(Layer.succeed(Kv, KvMetered.make(world.at(location), ledger, "CACHE_KV")))
        ),
      current: (collection, key, now) => world.current(physicalKey(collection.name, key), now)?.value,
      settle: Effect.void
    }
  })

const isolateOf = (store: Store["Type"], throttlesInMemory: boolean): Isolate => {
  const work = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  const background: BackgroundService = {
    run: (effect) =>
      Effect.map(Effect.forkDaemon(effect), (fiber) => {
        work.add(fiber)
        fiber.addObserver(() => work.delete(fiber))
      }),
    promise: () => undefined
  }
  return {
    store,
    throttle: throttlesInMemory ? new Map() : undefined,
    invoke: (effect) =>
      Effect.suspend(() =>
        Effect.provide(
          effect,
          Context.add(Context.make(Background, background), KvInvocation, { remaining: operationsPerInvocation })
        )
      ),
    kill: Effect.suspend(() => Effect.forEach(work, Fiber.interruptFork, { discard: true }))
  }
}
