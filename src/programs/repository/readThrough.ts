import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import { getOrLoad, type TypedCollection } from "../../services/repository/model/TypedCollection.ts"
import { Store, type StoreError } from "../../services/store/Store.ts"

/**
 * The value under a key, from the nearest tier that has it, or made by `load` and kept. `none` when there is nothing to
 * load. A stored value that its schema does not read is left as it is, and what `load` makes is served beside it: a
 * deployment cannot poison reads.
 */
export const readThrough = <K, V, E, R>(
  family: TypedCollection<K, V>,
  key: K,
  load: Effect.Effect<Option.Option<V>, E, R>
): Effect.Effect<Option.Option<V>, E | StoreError | ParseResult.ParseError, R | Store> =>
  Effect.flatMap(Effect.zip(Store, family.keyOf(key)), ([store, name]) =>
    getOrLoad(store, family, family.collection, name, load, family.encode, (error) =>
      Effect.logWarning(`a value of ${family.collection.name} could not be read, and is left as it is`, error)
    )
  )
