import { gbSeconds, prices } from "../../ledger/model/Prices.ts"
import type { KeyFamilies } from "./KeyFamilies.ts"
import type { Trace } from "./Trace.ts"

/**
 * - `plain`: every operation is one of KV. `memory`: the facade, writes through. `behind`: the facade, writes joined for
 *   `flushAfter` seconds. `durable`: the facade over an object. `instant`: the facade over a KV Instant namespace.
 */
export type PolicyName = "plain" | "memory" | "behind" | "durable" | "instant"

/** What one family asked for, and what of it is left behind the facade. */
export interface FamilyCounts {
  reads: number
  writes: number
  deletes: number
  /** Reads that memory cannot answer. */
  misses: number
  /** Writes that are left when those of a key join. */
  joined: number
  keys: number
  /** Of the largest value of each key. */
  bytes: number
  /** The most writes and deletes in one second. */
  peakWrites: number
  longestKey: number
}

export interface CostOptions {
  /** Seconds that an answer may be older than with plain KV. */
  readonly staleness: number
  /** Seconds for which writes join. */
  readonly flushAfter: number
  readonly isolates: number
}

const empty = (): FamilyCounts => ({
  reads: 0,
  writes: 0,
  deletes: 0,
  misses: 0,
  joined: 0,
  keys: 0,
  bytes: 0,
  peakWrites: 0,
  longestKey: 0
})

/**
 * Counts a part of a trace by family in one pass: each isolate remembers what it read or wrote for `staleness` seconds,
 * and requests go to isolates in turn. Memory is taken to hold all of it.
 *
 * @param from the first row
 * @param to the row after the last
 */
export const count = (
  trace: Trace,
  { familyOf, prefixes }: KeyFamilies,
  { flushAfter, isolates, staleness }: CostOptions,
  from = 0,
  to = trace.at.length
): ReadonlyArray<FamilyCounts> => {
  const families = prefixes.map(empty)
  const freshUntil = new Float64Array(trace.keys.length * isolates)
  const joinsUntil = new Float64Array(trace.keys.length)
  const size = new Uint32Array(trace.keys.length)
  const seen = new Uint8Array(trace.keys.length)
  const second = new Float64Array(prefixes.length)
  const inSecond = new Uint32Array(prefixes.length)
  for (let row = from; row < to; row++) {
    const key = trace.key[row]!
    const at = trace.at[row]!
    const family = familyOf[key]!
    const counts = families[family]!
    const slot = key * isolates + (row % isolates)
    if (seen[key] === 0) {
      seen[key] = 1
      counts.keys++
      counts.longestKey = Math.max(counts.longestKey, trace.keys[key]!.length)
    }
    if (trace.size[row]! > size[key]!) {
      counts.bytes += trace.size[row]! - size[key]!
      size[key] = trace.size[row]!
    }
    const operation = trace.operation[row]!
    if (operation === 0) {
      counts.reads++
      if (at < freshUntil[slot]!) continue
      counts.misses++
    } else {
      const now = Math.floor(at / 1000)
      if (now !== second[family]) {
        second[family] = now
        inSecond[family] = 0
      }
      counts.peakWrites = Math.max(counts.peakWrites, ++inSecond[family]!)
      if (operation === 2) counts.deletes++
      else counts.writes++
      if (at >= joinsUntil[key]!) {
        joinsUntil[key] = at + flushAfter * 1000
        counts.joined++
      }
    }
    freshUntil[slot] = at + staleness * 1000
  }
  return families
}

const [kvRead, kvWrite] = [prices.kvReads[0], prices.kvWrites[0]]
const instantRead = 0.2e-6
const instantWrite = 0.1
const instantMegabyteMonth = 100

/** An object works some milliseconds for a call. */
const objectCall = prices.durableObjectRequests[0] + gbSeconds(5) * prices.durableObjectDuration[0]

/** Dollars for what was counted, at list price; storage for `months`. Undefined where the policy cannot serve it. */
export const usdOf = (policy: PolicyName, counts: FamilyCounts, months: number): number | undefined => {
  const { bytes, deletes, joined, keys, longestKey, misses, peakWrites, reads, writes } = counts
  switch (policy) {
    case "plain":
      return reads * kvRead + (writes + deletes) * kvWrite
    case "memory":
      return misses * kvRead + (writes + deletes) * kvWrite
    case "behind":
      return misses * kvRead + joined * kvWrite
    case "durable":
      return (
        misses * (objectCall + prices.durableObjectRowsRead[0]) +
        (writes + deletes) * (objectCall + prices.durableObjectRowsWritten[0]) +
        (bytes / 1e9) * prices.durableObjectStored[0] * months
      )
    case "instant":
      if (bytes > 1e6 || keys > 10_000 || longestKey > 300 || peakWrites > 1) return undefined
      return misses * instantRead + (writes + deletes) * instantWrite + (bytes / 1e6) * instantMegabyteMonth * months
  }
}

/** Policies that one namespace can have at the same time, each for its families: its values lie in one place. */
const places: ReadonlyArray<ReadonlyArray<PolicyName>> = [["plain", "memory", "behind"], ["durable"], ["instant"]]

/**
 * For each family the cheapest policy, of the place that is cheapest for all of them together: never more than what is
 * there.
 */
export const cheapest = (
  allowed: ReadonlyArray<PolicyName>,
  families: ReadonlyArray<FamilyCounts>,
  months: number
): ReadonlyArray<PolicyName> => {
  let best = families.map((): PolicyName => "plain")
  let least = sumOf(best, families, months)
  for (const place of places) {
    const possible = place.filter((policy) => policy === "plain" || allowed.includes(policy))
    const chosen = families.map((counts) => {
      const priced = possible.map((policy) => ({
        policy,
        usd: usdOf(policy, counts, months) ?? Number.POSITIVE_INFINITY
      }))
      return priced.sort((a, b) => a.usd - b.usd)[0]?.policy
    })
    if (chosen.some((policy) => policy === undefined)) continue
    const usd = sumOf(chosen as Array<PolicyName>, families, months)
    if (usd < least) [best, least] = [chosen as Array<PolicyName>, usd]
  }
  return best
}

const sumOf = (policies: ReadonlyArray<PolicyName>, families: ReadonlyArray<FamilyCounts>, months: number): number =>
  families.reduce((sum, counts, at) => sum + (usdOf(policies[at]!, counts, months) ?? Number.POSITIVE_INFINITY), 0)
