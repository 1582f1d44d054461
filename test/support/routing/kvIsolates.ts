import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as BatcherCoalescing from "../../../src/layers/batching/BatcherCoalescing.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as StoreKvPacked from "../../../src/layers/routing/StoreKvPacked.ts"
import * as SettingsConfig from "../../../src/layers/settings/SettingsConfig.ts"
import type * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import * as StamperRandom from "../../../src/layers/store/StamperRandom.ts"
import * as EdgeCacheOff from "../../../src/layers/tiers/EdgeCacheOff.ts"
import * as MemoryTierTinyLfu from "../../../src/layers/tiers/MemoryTierTinyLfu.ts"
import * as ReadPathTiered from "../../../src/layers/tiers/ReadPathTiered.ts"
import * as SingleFlightDeferred from "../../../src/layers/tiers/SingleFlightDeferred.ts"
import { Background, type BackgroundService } from "../../../src/services/base/Background.ts"
import { Batcher, type BatcherService } from "../../../src/services/batching/Batcher.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { Ledger, type LedgerTotals } from "../../../src/services/ledger/Ledger.ts"
import { Store } from "../../../src/services/store/Store.ts"

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
        const layer = Layer.provideMerge(StoreKvPacked.layer, BatcherCoalescing.layer).pipe(
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
