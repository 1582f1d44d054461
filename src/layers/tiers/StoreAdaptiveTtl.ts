import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Collection } from "../../services/store/model/Collection.ts"
import { jittered } from "../../services/store/model/Freshness.ts"
import { type Loaded, Store } from "../../services/store/Store.ts"
import { addressOf } from "../../services/tiers/ReadPath.ts"
import { ChangeRates } from "./internal/ChangeRates.ts"

/** A store whose loads, in collections that want it so, live as long as their values have been found to last. */
export const make = (store: Store["Type"]): Store["Type"] => {
  let rates: ChangeRates | undefined

  const adapted = (collection: Collection, key: string, loaded: Loaded): Effect.Effect<Loaded> => {
    if (loaded.ttl !== undefined || !Number.isFinite(collection.millis.ttl)) return Effect.succeed(loaded)
    rates ??= new ChangeRates()
    const ttl = rates.loaded(addressOf(collection, key).id, loaded.value, collection.millis.ttl)
    return Effect.map(Random.next, (random) => ({
      ...loaded,
      ttl: Math.round(jittered(ttl, collection.policy.jitter, random))
    }))
  }

  return {
    ...store,
    getOrLoad: (collection, key, load) =>
      store.getOrLoad(
        collection,
        key,
        collection.policy.adaptTtl
          ? Effect.flatMap(load, (loaded) =>
              Option.isSome(loaded) ? Effect.asSome(adapted(collection, key, loaded.value)) : Effect.succeed(loaded)
            )
          : load
      )
  }
}

export const layer: Layer.Layer<Store, never, Store> = Layer.effect(Store, Effect.map(Store, make))
