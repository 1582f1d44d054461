/** Keys that begin alike, and are kept alike. */
export interface KeyFamilies {
  /** Prefixes; the empty one holds what belongs to no other. */
  readonly prefixes: ReadonlyArray<string>
  /** By key, the position of its family's prefix. */
  readonly familyOf: Uint8Array
}

const mostFamilies = 12

/** Up to and with the first separator that something stands before and after. */
const prefixOf = (key: string): string => /^[^:/.]*[:/.]+(?=.)/.exec(key.slice(1))?.[0] ?? ""

/**
 * The families of a trace's keys: those of its most asked prefixes, each of which has at least a hundredth of all
 * requests.
 *
 * @param requests by key, how often it was asked for
 */
export const familiesOf = (keys: ReadonlyArray<string>, requests: Uint32Array): KeyFamilies => {
  const counts = new Map<string, number>()
  let total = 0
  const prefixes = keys.map((key, at) => {
    const rest = prefixOf(key)
    const prefix = rest === "" ? "" : key[0]! + rest
    counts.set(prefix, (counts.get(prefix) ?? 0) + requests[at]!)
    total += requests[at]!
    return prefix
  })
  const kept = [...counts]
    .filter(([prefix, count]) => prefix !== "" && count * 100 >= total)
    .sort(([, a], [, b]) => b - a)
    .slice(0, mostFamilies - 1)
    .map(([prefix]) => prefix)
  const positions = new Map(kept.map((prefix, at) => [prefix, at]))
  return {
    prefixes: [...kept, ""],
    familyOf: Uint8Array.from(prefixes, (prefix) => positions.get(prefix) ?? kept.length)
  }
}
