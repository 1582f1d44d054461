import * as Effect from "effect/Effect"
import type { Collection } from "../../../src/services/store/model/Collection.ts"
import { allOf, type Lookup, type Store, type StoreError } from "../../../src/services/store/Store.ts"

/** All that `getMany` answers, where it fails for none. */
export const lookups = (
  store: Store["Type"],
  collection: Collection,
  keys: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Lookup>, StoreError> => Effect.flatMap(store.getMany(collection, keys), allOf)

/** The value that was found, as text. */
export const text = (lookup: Lookup) => lookup.entry && new TextDecoder().decode(lookup.entry.value)
