import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as BackgroundWorker from "../src/layers/base/BackgroundWorker.ts"
import * as KvBinding from "../src/layers/kv/KvBinding.ts"
import * as KvMetered from "../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../src/layers/ledger/LedgerMemory.ts"
import * as StoreKv from "../src/layers/routing/StoreKv.ts"
import * as SettingsConfig from "../src/layers/settings/SettingsConfig.ts"
import * as StamperRandom from "../src/layers/store/StamperRandom.ts"
import * as EdgeCacheBinding from "../src/layers/tiers/EdgeCacheBinding.ts"
import * as MemoryTierSettings from "../src/layers/tiers/MemoryTierSettings.ts"
import * as ReadPathTiered from "../src/layers/tiers/ReadPathTiered.ts"
import * as SingleFlightPromise from "../src/layers/tiers/SingleFlightPromise.ts"
import { readThrough } from "../src/programs/repository/readThrough.ts"
import { Background } from "../src/services/base/Background.ts"
import * as TypedCollection from "../src/services/repository/model/TypedCollection.ts"

// A Worker of your own on Larder's layers: a typed collection, read through memory, edge and KV, loaded once for all
// who miss it at once, served stale for a minute while it is refreshed behind.

interface Env {
  readonly CACHE_KV: KVNamespace
}

const quotes = TypedCollection.make({
  name: "quotes",
  key: Schema.NonEmptyString,
  value: Schema.Struct({ symbol: Schema.String, cents: Schema.Int, asOf: Schema.Number }),
  policy: { ttl: "5 minutes", memoryTtl: "10 seconds", staleFor: "1 minute", tags: ["market"] }
})

/** Your upstream. */
const fetchQuote = (symbol: string) => Effect.succeedSome({ symbol, cents: 10_000 + symbol.length, asOf: Date.now() })

const makeRuntime = (env: Env) =>
  ManagedRuntime.make(
    StoreKv.layer.pipe(
      Layer.provide(ReadPathTiered.layer),
      Layer.provide(SingleFlightPromise.layer),
      Layer.provide(MemoryTierSettings.layerTinyLfu),
      Layer.provide(EdgeCacheBinding.layer("quotes.internal")),
      Layer.provide(KvMetered.layer("CACHE_KV")),
      Layer.provide(KvBinding.layer(env.CACHE_KV)),
      Layer.provide(LedgerMemory.layer),
      Layer.provide(StamperRandom.layer),
      Layer.provide(SettingsConfig.layerOf())
    )
  )

const runtimes = new WeakMap<Env, ReturnType<typeof makeRuntime>>()

export default {
  fetch(request, env, context) {
    const runtime = runtimes.get(env) ?? makeRuntime(env)
    runtimes.set(env, runtime)
    const symbol = new URL(request.url).pathname.slice(1) || "AAPL"
    return runtime.runPromise(
      readThrough(quotes, symbol, fetchQuote(symbol)).pipe(
        Effect.map((quote) => Response.json(Option.getOrNull(quote))),
        Effect.catchAll(() => Effect.succeed(new Response("no quote just now", { status: 503 }))),
        Effect.provideService(Background, BackgroundWorker.make(context))
      )
    )
  }
} satisfies ExportedHandler<Env>
