import * as Arr from "effect/Array"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { pageOf } from "../../services/kv/model/KvPaging.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { StaticData, staticCollection } from "../../services/static-data/StaticData.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { type Lookup, Store, StoreError, type StoreResult } from "../../services/store/Store.ts"
import { makeLogical } from "../store/logical.ts"

/**
 * A store in front of another: the collection `static` is answered from what is bundled, at once and without any
 * operation, and cannot be written. Everything else goes on.
 */
export const make = (
  store: Context.Tag.Service<Store>,
  data: Context.Tag.Service<StaticData>,
  ledger: Context.Tag.Service<Ledger>
): Context.Tag.Service<Store> => {
  const logical = makeLogical(ledger)

  const isStatic = (collection: Collection): boolean => collection.name === staticCollection

  const lookup = (key: string, now: number): Lookup => ({
    entry: data.entry(staticCollection, key),
    tier: "static",
    readAt: now,
    freshness: "fresh",
    freshUntil: Number.POSITIVE_INFINITY
  })

  const looked = (keys: ReadonlyArray<string>) =>
    Effect.clockWith((clock) => {
      const now = clock.unsafeCurrentTimeMillis()
      return Effect.succeed(keys.map((key) => lookup(key, now)))
    })

  const readOne = (collection: Collection, key: string) =>
    logical.on("reads", collection, [key], () => Effect.map(looked([key]), ([found]) => found!))

  const readOnly = (operation: StoreError["operation"]) => new StoreError({ operation, reason: "ReadOnly" })

  return {
    ...store,
    held: (collection, key, now, session, accepts) => {
      if (!isStatic(collection)) return store.held(collection, key, now, session, accepts)
      const found = lookup(key, now)
      if (found.entry === undefined) return undefined
      logical.asked("reads", collection, 1)
      return found
    },
    get: (collection, key) => (isStatic(collection) ? readOne(collection, key) : store.get(collection, key)),
    getMany: (collection, keys, maxBytes) =>
      isStatic(collection)
        ? logical.reading(collection, keys, (legal) => Effect.map(looked(legal), Arr.map(done)))
        : store.getMany(collection, keys, maxBytes),
    getOrLoad: (collection, key, load) =>
      isStatic(collection) ? readOne(collection, key) : store.getOrLoad(collection, key, load),
    set: (collection, key, value, options) =>
      isStatic(collection) ? Effect.fail(readOnly("set")) : store.set(collection, key, value, options),
    writeMany: (collection, changes) =>
      isStatic(collection)
        ? Effect.succeed(
            changes.map((change) => ({ _tag: "Failed", error: readOnly("remove" in change ? "delete" : "set") }))
          )
        : store.writeMany(collection, changes),
    delete: (collection, key, options) =>
      isStatic(collection) ? Effect.fail(readOnly("delete")) : store.delete(collection, key, options),
    list: (collection, options) =>
      isStatic(collection)
        ? logical.on("lists", collection, [], () => {
            const page = pageOf(data.keys(), options)
            return "names" in page
              ? Effect.succeed({
                  keys: page.names.map((key) => ({ key, expiresAt: Number.POSITIVE_INFINITY, tags: [] })),
                  cursor: page.cursor
                })
              : Effect.fail(new StoreError({ operation: "list", reason: "BadCursor", cause: page }))
          })
        : store.list(collection, options),
    clear: (collection) => (isStatic(collection) ? Effect.fail(readOnly("clear")) : store.clear(collection)),
    stats: () => ({ ...store.stats?.(), static: data.stats() })
  }
}

const done = (value: Lookup): StoreResult<Lookup> => ({ _tag: "Done", value })

export const layer: Layer.Layer<Store, never, Store | StaticData | Ledger> = Layer.effect(
  Store,
  Effect.gen(function* () {
    return make(yield* Store, yield* StaticData, yield* Ledger)
  })
)
