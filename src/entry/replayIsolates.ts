import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
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
import { EdgeCache } from "../services/EdgeCache.ts"
import { type Isolate, Isolates } from "../services/Isolates.ts"
import { Kv } from "../services/Kv.ts"
import { KvInvocation } from "../services/KvInvocation.ts"
import { Ledger } from "../services/Ledger.ts"
import { physicalKey } from "../services/PhysicalKey.ts"
import { freeDailyKv } from "../services/Prices.ts"
import * as ReplayedValue from "../services/ReplayedValue.ts"
import { defaults, Settings } from "../services/Settings.ts"
import { Store } from "../services/Store.ts"
import { Weigh } from "../services/Weigh.ts"
import { Workload } from "../services/Workload.ts"
import { type Stack, stackOrder } from "./replayOptions.ts"

export interface IsolateOptions {
  readonly stack: Stack
  /** Capacity of one isolate's memory tier. */
  readonly memoryBytes: number
  readonly plan: "paid" | "free"
  readonly seed: number
}

/** Operations that one invocation may ask of KV. Source: kv/platform/limits, 2026-04-21. */
const operationsPerInvocation = 1000

/**
 * One stack's isolates over one simulated namespace: per location its edge cache and its view of KV. An isolate's
 * layers are built synchronously, as they must be in a Worker.
 */
export const layer = (options: IsolateOptions): Layer.Layer<Isolates, never, Workload | Ledger> =>
  Layer.effect(
    Isolates,
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const { entries } = yield* Workload
      const numbers = new Map(entries.map(({ collection, key }, index) => [physicalKey(collection.name, key), index]))
      const world = KvSimulated.makeWorld({
        seed: options.seed,
        ...(options.plan === "free" ? { daily: freeDailyKv } : {}),
        initial: (physical) => {
          const entry = entries[numbers.get(physical) ?? -1]
          return entry?.initial ? { value: ReplayedValue.encode(0, entry.size), metadata: null } : undefined
        },
        initialKeys: () => numbers.keys(),
        carried: (entry) => entry
      })
      const shared = Layer.mergeAll(
        Layer.succeed(Ledger, ledger),
        Layer.succeed(Settings, defaults),
        Layer.succeed(Weigh, ReplayedValue.weigh)
      )
      const locations = new Map<number, Layer.Layer<Kv | EdgeCache>>()
      const location = (number: number): Layer.Layer<Kv | EdgeCache> => {
        const known = locations.get(number)
        if (known !== undefined) return known
        const edge = EdgeCacheMetered.make(EdgeCacheMemory.make(), ledger)
        const made = Layer.merge(
          Layer.succeed(Kv, KvMetered.make(world.at(number), ledger, "CACHE_KV")),
          includes(options.stack, "edge") ? Layer.succeed(EdgeCache, edge) : EdgeCacheOff.layer
        )
        locations.set(number, made)
        return made
      }
      const runtime = yield* Effect.runtime<never>()
      const scope = yield* Scope.make()
      let started = 0

      return {
        start: (number) =>
          Effect.sync(() => {
            started += 1
            const stack = storeOf(options, `isolate-${started}`).pipe(
              Layer.provide(location(number)),
              Layer.provide(shared)
            )
            const built = Runtime.runSync(runtime)(Layer.buildWithScope(stack, scope))
            return isolateOf(Context.get(built, Store), includes(options.stack, "memory"))
          }),
        current: (collection, key) =>
          Effect.map(Clock.currentTimeMillis, (now) => world.current(physicalKey(collection.name, key), now)?.value)
      }
    })
  )

const includes = (stack: Stack, part: Stack): boolean => stackOrder.indexOf(stack) >= stackOrder.indexOf(part)

/** The layers of a stack within one isolate. Parts that do not exist yet are left out. */
const storeOf = (
  { memoryBytes, stack }: IsolateOptions,
  writer: string
): Layer.Layer<Store, never, Kv | EdgeCache | Ledger | Settings> =>
  (includes(stack, "memory")
    ? StoreKv.layer.pipe(
        Layer.provide(ReadPathTiered.layer),
        Layer.provide(MemoryTierTinyLfu.layer(memoryBytes)),
        Layer.provide(SingleFlightDeferred.layer)
      )
    : StoreDirect.layer
  ).pipe(Layer.provide(StamperRandom.layerNamed(writer)))

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
