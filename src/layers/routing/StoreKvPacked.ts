import { propagationMillis } from "../../services/kv/Kv.ts"
import { physicalKey } from "../../services/kv/model/PhysicalKey.ts"
import { listPrefix } from "../packing/kvRecords.ts"
import { type Listing, withCachedLists } from "./internal/cachedLists.ts"
import { makePackedEntries } from "./packedEntries.ts"
import * as StoreKv from "./StoreKv.ts"

/** Pages are in the order of keys, the other keys in that of KV; of what leaves its pages nobody knows. */
const listing: Listing = {
  placeOf: ({ name, policy: { packed } }) => {
    if (packed === false) return undefined
    return packed ? (key) => key : (key) => physicalKey(name, key)
  },
  placeOfPrefix: (collection, prefix) => (collection.policy.packed ? prefix : listPrefix(collection, prefix)),
  lagMillis: propagationMillis
}

/** KV as the store of record, with the entries of packed collections in pages, many of them in one value, and lists cached. */
export const layer = StoreKv.layerOf(makePackedEntries, (store, parts) => withCachedLists(store, listing, parts))
