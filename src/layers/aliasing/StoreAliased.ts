import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import { KeyAlias } from "../../services/aliasing/KeyAlias.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { type Loaded, type Lookup, Store } from "../../services/store/Store.ts"

/**
 * A store whose every key is made canonical before it is asked: a write through one spelling is read through all. What
 * is listed are canonical keys. Values are shown to the learning as they are written, loaded or read from below memory.
 */
export const make = (store: Store["Type"], alias: KeyAlias["Type"]): Store["Type"] => {
  const canonicalOf = (collection: Collection, key: string, now: number): string => {
    const canonical = alias.canonical(collection, key, now)
    if (canonical !== key) alias.count(collection, key, now)
    return canonical
  }

  /** The clock is read only for keys that rules may change. */
  const keyed = <A, E, R>(
    collection: Collection,
    key: string,
    use: (canonical: string) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> =>
    collection.policy.alias.length === 0
      ? use(key)
      : Effect.clockWith((clock) => use(canonicalOf(collection, key, clock.unsafeCurrentTimeMillis())))

  const seen = (collection: Collection, key: string, { entry, tier }: Lookup): void => {
    if (entry !== undefined && tier !== "memory") alias.observe(collection, key, entry.value)
  }

  return {
    ...store,

    held: (collection, key, now, session, accepts) => {
      if (collection.policy.alias.length === 0) return store.held(collection, key, now, session, accepts)
      const canonical = alias.canonical(collection, key, now)
      const found = store.held(collection, canonical, now, session, accepts)
      if (found !== undefined && canonical !== key) alias.count(collection, key, now)
      return found
    },

    get: (collection, key) =>
      keyed(collection, key, (canonical) =>
        Effect.map(store.get(collection, canonical), (lookup) => {
          seen(collection, canonical, lookup)
          return lookup
        })
      ),

    getMany: (collection, keys, maxBytes) =>
      Effect.clockWith((clock) => {
        const now = clock.unsafeCurrentTimeMillis()
        const canonical = keys.map((key) => canonicalOf(collection, key, now))
        return Effect.map(store.getMany(collection, canonical, maxBytes), (lookups) => {
          for (const [index, result] of lookups.entries()) {
            if (result._tag === "Done") seen(collection, canonical[index]!, result.value)
          }
          return lookups
        })
      }),

    getOrLoad: <E, R>(collection: Collection, key: string, load: Effect.Effect<Option.Option<Loaded>, E, R>) =>
      keyed(collection, key, (canonical) =>
        Effect.map(store.getOrLoad(collection, canonical, load), (lookup) => {
          seen(collection, canonical, lookup)
          return lookup
        })
      ),

    set: (collection, key, value, options) =>
      keyed(collection, key, (canonical) => {
        alias.observe(collection, canonical, value)
        return store.set(collection, canonical, value, options)
      }),

    writeMany: (collection, changes) =>
      Effect.clockWith((clock) => {
        const now = clock.unsafeCurrentTimeMillis()
        return store.writeMany(
          collection,
          changes.map((change) => {
            const key = canonicalOf(collection, change.key, now)
            if (!("remove" in change)) alias.observe(collection, key, change.value)
            return key === change.key ? change : { ...change, key }
          })
        )
      }),

    delete: (collection, key, options) =>
      keyed(collection, key, (canonical) => store.delete(collection, canonical, options))
  }
}

/** Stands around the store that it is provided with. */
export const layer: Layer.Layer<Store, never, Store | KeyAlias> = Layer.effect(
  Store,
  Effect.map(Effect.all([Store, KeyAlias]), ([store, alias]) => make(store, alias))
)
