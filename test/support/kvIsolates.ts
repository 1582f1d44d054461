import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as BatcherCoalescing from "../../src/layers/BatcherCoalescing.ts"
import * as EdgeCacheOff from "../../src/layers/EdgeCacheOff.ts"
import * as KvMetered from "../../src/layers/KvMetered.ts"
import type * as KvSimulated from "../../src/layers/KvSimulated.ts"
import * as LedgerMemory from "../../src/layers/LedgerMemory.ts"
import * as MemoryTierTinyLfu from "../../src/layers/MemoryTierTinyLfu.ts"
import * as ReadPathTiered from "../../src/layers/ReadPathTiered.ts"
import * as SettingsConfig from "../../src/layers/SettingsConfig.ts"
import * as SingleFlightDeferred from "../../src/layers/SingleFlightDeferred.ts"
import * as StamperRandom from "../../src/layers/StamperRandom.ts"
import * as StoreKv from "../../src/layers/StoreKv.ts"
import { Background, type BackgroundService } from "../../src/services/Background.ts"
import { Batcher, type BatcherService } from "../../src/services/Batcher.ts"
import { Kv } from "../../src/services/Kv.ts"
import { Ledger, type LedgerTotals } from "../../src/services/Ledger.ts"
import { Store } from "../../src/services/Store.ts"

export interface KvIsolate {
  readonly store: Store["Type"]
  readonly batcher: BatcherService
  /** Runs as one request of the isolate: with a background of its own. */
  readonly invoke: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

export interface KvIsolates {
  readonly start: (location: number) => KvIsolate
  readonly total: () => LedgerTotals
}

const forking = (): BackgroundService => ({
  run: (effect) => Effect.asVoid(Effect.forkDaemon(effect)),
  promise: () => undefined
})

/** Isolates in KV mode over one simulated namespace, and one ledger for all. Nothing has a deadline. */
export const makeKvIsolates = (world: KvSimulated.KvWorld): Effect.Effect<KvIsolates> =>
  Effect.gen(function* () {
    const ledger = Context.get(yield* Effect.scoped(Layer.build(LedgerMemory.layer)), Ledger)
    const scope = yield* Scope.make()
    const runtime = yield* Effect.runtime<never>()
    let started = 0
    return {
      start: (location) => {
        started += 1
        const layer = Layer.provideMerge(StoreKv.layer, BatcherCoalescing.layer).pipe(
          Layer.provide(ReadPathTiered.layer),
          Layer.provide(MemoryTierTinyLfu.layer(10_000_000)),
          Layer.provide(SingleFlightDeferred.layer),
          Layer.provide(EdgeCacheOff.layer),
          Layer.provide(StamperRandom.layerNamed(`isolate-${started}`)),
          Layer.provide(Layer.succeed(Kv, KvMetered.make(world.at(location), ledger, "CACHE_KV"))),
          Layer.provide(Layer.succeed(Ledger, ledger)),
          Layer.provide(SettingsConfig.layerOf({ kvDeadline: Duration.infinity, edgeDeadline: Duration.infinity }))
        )
        const built = Runtime.runSync(runtime)(Layer.buildWithScope(layer, scope))
        return {
          store: Context.get(built, Store),
          batcher: Context.get(built, Batcher),
          invoke: (effect) => Effect.suspend(() => Effect.provideService(effect, Background, forking()))
        }
      },
      total: () => ledger.report().total
    }
  })
