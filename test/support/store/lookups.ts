import type { Lookup } from "../../../src/services/store/Store.ts"

/** The value that was found, as text. */
export const text = (lookup: Lookup) => lookup.entry && new TextDecoder().decode(lookup.entry.value)
