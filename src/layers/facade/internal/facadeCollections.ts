import { type Collection, defaultPolicy } from "../../../services/store/model/Collection.ts"

/** Distinct `cacheTtl`s whose collections are kept; a caller names few. */
const maxKept = 64

/**
 * A namespace as a collection, one for each staleness that a caller allows: all of them share their entries, and each
 * judges by its own ttl how old one may be.
 *
 * @param name of the namespace in memory and edge
 * @param edge whether there is an edge tier
 */
export const makeFacadeCollections = (name: string, edge: boolean) => {
  const known = new Map<number, Collection>()

  const collectionFor = (cacheTtl: number): Collection => {
    const ttl = cacheTtl * 1000
    const millis = { memoryTtl: ttl, edgeTtl: edge ? ttl : 0, negativeTtl: ttl, staleFor: 0, graceFor: 0 }
    return {
      name,
      policy: { ...defaultPolicy, jitter: 0 },
      millis: { ...millis, ttl: Number.POSITIVE_INFINITY }
    }
  }

  return (cacheTtl: number): Collection => {
    const found = known.get(cacheTtl)
    if (found !== undefined) return found
    const made = collectionFor(cacheTtl)
    if (known.size < maxKept) known.set(cacheTtl, made)
    return made
  }
}
