import type { AliasSuggestion } from "../../../services/aliasing/KeyAlias.ts"

/** Keys, and pairs of keys, that are remembered over all collections: half a megabyte with the longest of keys. */
const maxKeys = 256
const maxPairs = 256

/** A value that more keys hold than this is nobody's own ("none", an empty list), and says nothing. */
const maxHolders = 3

/** Shorter values are alike by chance: a flag, a count, a price. Bytes. */
const minBytes = 16

/** What makes a suggestion: so many different values in common, and so large a share of all that either held. */
const minValues = 3
const minShare = 0.9

interface Known {
  readonly collection: string
  readonly key: string
  print: number
  readonly pairs: Set<Pair>
}

interface Pair {
  readonly one: Known
  readonly other: Known
  equal: number
  unequal: number
  /** Of the first values in common. */
  readonly prints: Set<number>
  /** Of the last value in common. */
  met: number
}

/**
 * Learns which keys keep holding equal values, from a fingerprint of each key's last one: two keys that hold the same
 * become a pair, and whatever value one of a pair gives up without the other having held it speaks against them. What
 * was not heard of for longest is forgotten first.
 */
export const makeAliasLearning = () => {
  const known = new Map<string, Known>()
  const holders = new Map<number, Set<Known>>()
  const pairs = new Set<Pair>()

  const unpair = (pair: Pair): void => {
    pairs.delete(pair)
    pair.one.pairs.delete(pair)
    pair.other.pairs.delete(pair)
  }

  const release = (key: Known): void => {
    const all = holders.get(key.print)
    all?.delete(key)
    if (all?.size === 0) holders.delete(key.print)
  }

  const pairOf = (one: Known, other: Known): Pair => {
    for (const pair of one.pairs) if (pair.one === other || pair.other === other) return pair
    const pair = { one, other, equal: 0, unequal: 0, prints: new Set<number>(), met: 0 }
    for (const set of [one.pairs, other.pairs, pairs]) set.add(pair)
    const [oldest] = pairs
    if (pairs.size > maxPairs) unpair(oldest!)
    return pair
  }

  const hold = (key: Known): void => {
    const all = holders.get(key.print) ?? new Set()
    holders.set(key.print, all)
    if (all.size < maxHolders) {
      for (const other of all) {
        if (other.collection !== key.collection) continue
        const pair = pairOf(key, other)
        pair.equal += 1
        pair.met = key.print
        if (pair.prints.size < minValues) pair.prints.add(key.print)
      }
    }
    all.add(key)
  }

  return {
    observe: (collection: string, key: string, value: Uint8Array): void => {
      if (value.byteLength < minBytes) return
      const print = fingerprint(value)
      const id = `${collection}/${key}`
      const before = known.get(id)
      if (before?.print === print) return
      const now = before ?? { collection, key, print, pairs: new Set() }
      if (before !== undefined) {
        for (const pair of before.pairs) if (pair.met !== before.print) pair.unequal += 1
        release(before)
        before.print = print
        known.delete(id)
      }
      known.set(id, now)
      hold(now)
      if (known.size <= maxKeys) return
      const [oldest, forgotten] = known.entries().next().value!
      known.delete(oldest)
      release(forgotten)
      for (const pair of forgotten.pairs) unpair(pair)
    },

    suggestions: (): ReadonlyArray<AliasSuggestion> =>
      [...pairs]
        .filter(({ equal, prints, unequal }) => prints.size >= minValues && equal >= minShare * (equal + unequal))
        .sort((one, other) => other.equal - one.equal)
        .map(({ equal, one, other, unequal }) => ({
          collection: one.collection,
          keys: [one.key, other.key].sort() as [string, string],
          equal,
          unequal,
          rule: ruleFor(one.key, other.key)
        }))
  }
}

/** 53 bits of a value's length and bytes, of a long one's beginning and end: equal prints are evidence, not proof. */
const fingerprint = (value: Uint8Array): number => {
  let low = value.byteLength
  let high = 0x9e3779b1
  const take = (from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      low = Math.imul(low ^ value[at]!, 0x01000193)
      high = Math.imul(high ^ (value[at]! + at), 0x85ebca6b)
      high ^= high >>> 15
    }
  }
  const length = value.byteLength
  take(0, Math.min(length, printedBytes))
  take(Math.max(printedBytes, length - printedBytes), length)
  return (high >>> 11) * 2 ** 32 + (low >>> 0)
}

const printedBytes = 2048

const ruleFor = (one: string, other: string): AliasSuggestion["rule"] => {
  if (one.toLowerCase() === other.toLowerCase()) return "case"
  return inOrder(one) === inOrder(other) ? "order" : undefined
}

const inOrder = (key: string): string => {
  const mark = key.indexOf("?")
  const [path, query] = mark === -1 ? [key, ""] : [key.slice(0, mark), key.slice(mark + 1)]
  return `${path}?${query.split("&").sort().join("&")}`
}
