import type { Collection } from "../../store/model/Collection.ts"
import { type Alias, compile } from "./Alias.ts"

const compiled = new WeakMap<Collection, Alias>()

/** The alias rules of a collection, compiled once; undefined where it has none. Throws an AliasError for rules that mean nothing. */
export const aliasOf = (collection: Collection): Alias | undefined => {
  if (collection.policy.alias.length === 0) return undefined
  let alias = compiled.get(collection)
  if (alias === undefined) {
    alias = compile(collection.policy.alias)
    compiled.set(collection, alias)
  }
  return alias
}
