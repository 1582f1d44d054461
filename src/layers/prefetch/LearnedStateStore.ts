import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { sameBytes } from "../../services/base/model/ByteCodec.ts"
import { LearnedState, type LearnedStateService, type Saving } from "../../services/prefetch/LearnedState.ts"
import { Prefetch, type PrefetchService } from "../../services/prefetch/Prefetch.ts"
import { Settings } from "../../services/settings/Settings.ts"
import { define } from "../../services/store/model/Collection.ts"
import type { Entry } from "../../services/store/model/Entry.ts"
import { Store } from "../../services/store/Store.ts"

/** Larder's own: no collection of the settings, so that no route reaches it. */
const collection = define("larder-prefetch", { ttl: Duration.days(8), edgeTtl: 0, jitter: 0 })
const key = "learned"

/** How long one saving is to lie behind another, by any isolate. KV bills both steps: at most four a day. */
const hour = 3_600_000
const intervals = { durable: hour, kv: 6 * hour } as const

/** One entry of the store, shared by all isolates: a row of an object, or a value in KV. */
export const make = (
  store: Store["Type"],
  prefetch: PrefetchService,
  options: { readonly mode: "durable" | "kv"; readonly pays: boolean }
): LearnedStateService => {
  let loaded: boolean | undefined
  let observed = 0

  const found = Effect.map(store.get(collection, key), ({ entry }) => {
    loaded = entry !== undefined && prefetch.restore(entry.value)
    return entry
  })

  const save = Effect.gen(function* () {
    const known = prefetch.stats().observed
    if (known === observed) return "unchanged" as const
    const before: Entry | undefined = yield* found
    const now = yield* Clock.currentTimeMillis
    if (before !== undefined && now - before.stamp.wall < intervals[options.mode]) return "early" as const
    const bytes = prefetch.state()
    if (bytes === undefined || (before !== undefined && sameBytes(bytes, before.value))) return "unchanged" as const
    yield* store.set(collection, key, bytes)
    observed = known
    return "saved" as const
  })

  const unlessUnpaid = <A>(otherwise: A, effect: Effect.Effect<A>): Effect.Effect<A> =>
    options.pays && prefetch.enabled ? effect : Effect.succeed(otherwise)

  return {
    load: unlessUnpaid(
      false,
      Effect.catchAll(
        Effect.suspend(() =>
          loaded === undefined ? Effect.map(found, () => loaded === true) : Effect.succeed(loaded)
        ),
        (error) => Effect.as(Effect.logDebug("what was learned could not be read", error), false)
      )
    ),
    save: unlessUnpaid<Saving>(
      "unpaid",
      Effect.catchAll(save, (error) =>
        Effect.as(Effect.logDebug("what was learned could not be saved", error), "failed" as const)
      )
    )
  }
}

/** An object's row. */
export const layerDurable: Layer.Layer<LearnedState, never, Store> = Layer.effect(
  LearnedState,
  Effect.zipWith(Store, Prefetch, (store, prefetch) => make(store, prefetch, { mode: "durable", pays: true }))
)

/** A value in KV. Predictions come for nothing in packed pages only: to keep them pays where a millisecond has a price. */
export const layerKv: Layer.Layer<LearnedState, never, Store | Settings> = Layer.effect(
  LearnedState,
  Effect.map(Effect.all([Store, Prefetch, Settings]), ([store, prefetch, { prefetchLatencyUsd }]) =>
    make(store, prefetch, { mode: "kv", pays: prefetchLatencyUsd > 0 })
  )
)
