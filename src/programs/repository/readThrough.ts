import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import { getOrLoad, type TypedCollection } from "../../services/repository/model/TypedCollection.ts"
import { type Loaded, Store, type StoreError } from "../../services/store/Store.ts"

/**
 * The value under a key, from the nearest tier that has it, or made by `load` and kept. `none` when there is nothing to
 * load. A stored value that its schema no longer reads is an absence: a deployment cannot poison reads.
 */
export const readThrough = <K, V, E, R>(
  family: TypedCollection<K, V>,
  key: K,
  load: Effect.Effect<Option.Option<V>, E, R>
): Effect.Effect<Option.Option<V>, E | StoreError | ParseResult.ParseError, R | Store> =>
  Effect.flatMap(Effect.zip(Store, family.keyOf(key)), ([store, name]) => {
    const encoded = Effect.flatMap(load, (found) =>
      Option.isNone(found)
        ? Effect.succeedNone
        : Effect.map(family.encode(found.value), (bytes): Option.Option<Loaded> => Option.some(bytes))
    )
    return getOrLoad(store, family.collection, name, encoded, (entry) =>
      entry === undefined
        ? Effect.succeedNone
        : Either.match(family.decode(entry), {
            onLeft: (error) =>
              Effect.as(
                Effect.logWarning(`a value of ${family.collection.name} could not be read and is made anew`, error),
                Option.none<V>()
              ),
            onRight: Effect.succeedSome
          })
    )
  })
