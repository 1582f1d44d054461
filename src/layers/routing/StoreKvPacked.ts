import { makePackedEntries } from "./packedEntries.ts"
import * as StoreKv from "./StoreKv.ts"

/** KV as the store of record, with the entries of packed collections in pages: many of them in one value. */
export const layer = StoreKv.layerOf(makePackedEntries)
