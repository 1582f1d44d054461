import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import {
  type DecodeError,
  getOrLoad,
  type TypedCollection,
  whereUnreadable
} from "../../services/repository/model/TypedCollection.ts"
import { Repository } from "../../services/repository/Repository.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { Entry } from "../../services/store/model/Entry.ts"
import { allOf, Store, StoreError } from "../../services/store/Store.ts"

export const make = (store: Store["Type"], settings: Settings["Type"]): Repository["Type"] => {
  const undecodable = new Map<string, number>()

  /** The collection under the policy in force. */
  const inForce = <K, V>({ collection }: TypedCollection<K, V>) =>
    settings.collections.get(collection.name) ?? collection

  const named = <K, V>(family: TypedCollection<K, V>, key: K, operation: StoreError["operation"]) =>
    Either.mapLeft(family.keyOf(key), (cause) => new StoreError({ operation, reason: "BadKey", cause }))

  const encoded = <K, V>(family: TypedCollection<K, V>, value: V) =>
    Either.getOrThrowWith(family.encode(value), (cause) => cause)

  /** Counts and logs a stored value that was not read. */
  const unreadable =
    ({ name }: Collection) =>
    (error: DecodeError): Effect.Effect<void> =>
      Effect.suspend(() => {
        undecodable.set(name, (undecodable.get(name) ?? 0) + 1)
        return Effect.logWarning(`a value of ${name} could not be read, and is left as it is`, error)
      })

  const decoded = <K, V>(
    family: TypedCollection<K, V>,
    entry: Entry | undefined
  ): Effect.Effect<Option.Option<V>, StoreError> => {
    if (entry === undefined) return Effect.succeedNone
    const value = family.decode(entry)
    if (Either.isRight(value)) return Effect.succeedSome(value.right)
    const collection = inForce(family)
    return Effect.zipRight(
      unreadable(collection)(value.left),
      whereUnreadable(collection, value.left, Effect.succeedNone)
    )
  }

  const storedOf = <K, V>(family: TypedCollection<K, V>, keys: ReadonlyArray<K>) =>
    Effect.flatMap(Either.all(keys.map((key) => named(family, key, "get"))), (names) =>
      store.getMany(inForce(family), names)
    )

  const eachOf = <K, V>(
    family: TypedCollection<K, V>,
    entry: Entry | undefined
  ): Effect.Effect<Either.Either<Option.Option<V>, DecodeError>> => {
    if (entry === undefined) return Effect.succeed(Either.right(Option.none()))
    const value = Either.map(family.decode(entry), Option.some)
    return Either.isRight(value) ? Effect.succeed(value) : Effect.as(unreadable(inForce(family))(value.left), value)
  }

  return {
    get: (family, key) =>
      Effect.flatMap(named(family, key, "get"), (name) =>
        Effect.flatMap(store.get(inForce(family), name), ({ entry }) => decoded(family, entry))
      ),
    getMany: (family, keys) =>
      Effect.flatMap(Effect.flatMap(storedOf(family, keys), allOf), (lookups) =>
        Effect.forEach(lookups, ({ entry }) => decoded(family, entry))
      ),
    getEach: (family, keys) =>
      Effect.flatMap(Effect.flatMap(storedOf(family, keys), allOf), (lookups) =>
        Effect.forEach(lookups, ({ entry }) => eachOf(family, entry))
      ),
    getOrLoad: (family, key, load) =>
      Effect.flatMap(named(family, key, "get"), (name) => {
        const collection = inForce(family)
        return getOrLoad(
          store,
          family,
          collection,
          name,
          load,
          (value) => Effect.sync(() => encoded(family, value)),
          unreadable(collection)
        )
      }),
    set: (family, key, value, options) =>
      Effect.flatMap(named(family, key, "set"), (name) => {
        const bytes = encoded(family, value)
        return store.set(inForce(family), name, bytes.value, { ...options, contentType: bytes.contentType })
      }),
    setMany: (family, writes) =>
      Effect.flatMap(Either.all(writes.map(({ key }) => named(family, key, "set"))), (names) =>
        store.writeMany(
          inForce(family),
          writes.map(({ key: _, value, ...options }, index) => ({
            ...options,
            ...encoded(family, value),
            key: names[index]!
          }))
        )
      ),
    delete: (family, key) =>
      Effect.flatMap(named(family, key, "delete"), (name) => Effect.asVoid(store.delete(inForce(family), name))),
    list: (family, options = {}) =>
      Effect.map(store.list(inForce(family), options), ({ cursor, keys }) => ({
        keys: keys.flatMap(({ key }) => Either.match(family.keyFrom(key), { onLeft: () => [], onRight: (it) => [it] })),
        cursor
      })),
    stats: () => ({ undecodable: Object.fromEntries(undecodable) })
  }
}

export const layer: Layer.Layer<Repository, never, Store | Settings> = Layer.effect(
  Repository,
  Effect.map(Effect.all([Store, Settings]), ([store, settings]) => make(store, settings))
)
