import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as BackgroundWorker from "../../../src/layers/base/BackgroundWorker.ts"
import * as KvBinding from "../../../src/layers/kv/KvBinding.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as StoreKvPacked from "../../../src/layers/routing/StoreKvPacked.ts"
import * as SettingsConfig from "../../../src/layers/settings/SettingsConfig.ts"
import * as StamperRandom from "../../../src/layers/store/StamperRandom.ts"
import * as EdgeCacheBinding from "../../../src/layers/tiers/EdgeCacheBinding.ts"
import * as MemoryTierTinyLfu from "../../../src/layers/tiers/MemoryTierTinyLfu.ts"
import * as ReadPathTiered from "../../../src/layers/tiers/ReadPathTiered.ts"
import * as SingleFlightPromise from "../../../src/layers/tiers/SingleFlightPromise.ts"
import { Background } from "../../../src/services/base/Background.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { type Lookup, Store } from "../../../src/services/store/Store.ts"
import { EdgeCache } from "../../../src/services/tiers/EdgeCache.ts"

/**
 * The real layers over real bindings: `GET /get/{key}`, `/load/{key}?mode=ok|never&as=`, `/ledger`, and
 * `/arrived/{key}`, how many requests for the key have. Neither KV nor a loader answers before as many of them have
 * arrived as the key says after its last `-`, so that requests overlap however busy the machine is. Keys that begin
 * with `hang` are never answered by KV.
 */
interface Env {
  readonly CACHE_KV: KVNamespace
  readonly EDGE: "binding" | "stuck"
  /** Milliseconds that a follower waits, and that KV or a loader may take. */
  readonly PATIENCE: string
  readonly DEADLINE: string
}

const arrived = new Map<string, number>()

/** Each request waits on timers of its own, as workerd asks of it. */
const together = (key: string): Effect.Effect<void> => {
  const expected = Number(/-(\d+)$/.exec(key)?.[1] ?? 1)
  return Effect.suspend(() =>
    (arrived.get(key.split("/").at(-1)!) ?? 0) >= expected
      ? Effect.void
      : Effect.zipRight(Effect.sleep("5 millis"), together(key))
  )
}

const entries = define("entries", { jitter: 0, edgeTtl: Duration.seconds(30) })

const gatheringKv = Layer.effect(
  Kv,
  Effect.map(Kv, (kv) => ({
    ...kv,
    get: (key: string) => (key.includes("hang") ? Effect.never : Effect.zipRight(together(key), kv.get(key)))
  }))
)

const stuck = <A>() => Effect.promise<A>(() => new Promise(() => {}))

const edge = (env: Env): Layer.Layer<EdgeCache> =>
  env.EDGE === "stuck"
    ? Layer.succeed(EdgeCache, { match: stuck, put: stuck, delete: stuck, enabled: true })
    : EdgeCacheBinding.layer("larder.internal")

const makeRuntime = (env: Env) =>
  ManagedRuntime.make(
    StoreKvPacked.layer.pipe(
      Layer.provide(ReadPathTiered.layer),
      Layer.provide(SingleFlightPromise.layer),
      Layer.provide(MemoryTierTinyLfu.layer(1_000_000)),
      Layer.provide(edge(env)),
      Layer.provide(gatheringKv),
      Layer.provide(KvMetered.layer("CACHE_KV")),
      Layer.provide(KvBinding.layer(env.CACHE_KV)),
      Layer.provideMerge(LedgerMemory.layer),
      Layer.provide(StamperRandom.layer),
      Layer.provide(
        SettingsConfig.layerOf({
          followerPatience: Duration.millis(500),
          kvDeadline: Duration.seconds(1),
          loadDeadline: Duration.seconds(3)
        })
      )
    )
  )

const runtimes = new WeakMap<Env, ReturnType<typeof makeRuntime>>()

const answer = (lookup: Lookup) =>
  Response.json({ value: lookup.entry && new TextDecoder().decode(lookup.entry.value), tier: lookup.tier })

const program = (url: URL) =>
  Effect.gen(function* () {
    const store = yield* Store
    const [, verb = "", key = ""] = url.pathname.split("/")
    // Here, where nothing lies between its arrival and the flight that it joins.
    if (verb !== "arrived") arrived.set(key, (arrived.get(key) ?? 0) + 1)
    switch (verb) {
      case "get":
        return answer(yield* store.get(entries, key))
      case "load": {
        const loaded = Option.some({ value: new TextEncoder().encode(url.searchParams.get("as") ?? "loaded") })
        const load = url.searchParams.get("mode") === "never" ? Effect.never : Effect.as(together(key), loaded)
        return answer(yield* store.getOrLoad(entries, key, load))
      }
      case "arrived":
        return Response.json(arrived.get(key) ?? 0)
      default:
        return Response.json((yield* Ledger).report())
    }
  })

export default {
  async fetch(request, env, context): Promise<Response> {
    let runtime = runtimes.get(env)
    if (runtime === undefined) {
      runtime = makeRuntime(env)
      runtimes.set(env, runtime)
    }
    // A body of the request's own is read after the wait: I/O that only works in the request's own context.
    return runtime.runPromise(
      program(new URL(request.url)).pipe(
        Effect.provideService(Background, BackgroundWorker.make(context)),
        Effect.tap(() => Effect.promise(() => request.text())),
        Effect.catchAll((error) => Effect.succeed(Response.json({ error: String(error) }, { status: 500 })))
      )
    )
  }
} satisfies ExportedHandler<Env>
