import type { KvCounts } from "../../ledger/Ledger.ts"
import type { Bill } from "../../ledger/model/Bill.ts"
import type { Tier } from "../../store/Store.ts"
import type { KvLowerBound } from "./KvLowerBound.ts"
import type { Staleness } from "./Staleness.ts"

/** What a workload cost on one stack, and what its requests saw. */
export interface Replayed {
  /** Billed keys and calls, as counted at the KV port. */
  readonly kv: KvCounts
  readonly kvCalls: KvCounts
  /** The billed keys by collection. */
  readonly kvByCollection: { readonly [collection: string]: KvCounts }
  /** Operations that KV refused; billed nowhere. */
  readonly refused: number
  readonly durableObject: { readonly requests: number; readonly rowsRead: number; readonly rowsWritten: number }
  readonly edge: { readonly matches: number; readonly puts: number }
  /** Reads answered by a tier ÷ all reads. */
  readonly hitRatio: { readonly memory: number; readonly edge: number; readonly durable: number; readonly kv: number }
  /** Of the second half of the workload. */
  readonly prefetch: {
    readonly issued: number
    readonly used: number
    readonly coverable: number
    readonly covered: number
  }
  /** The bill of the whole workload; a firing of a cron is a request. */
  readonly usd: Bill
  /** The same as `usd.perMillionRequests`. */
  readonly usdPerMillionRequests: number
  /** From a request's arrival to its answer. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number }
  /** Reads that returned less than the latest write acknowledged when they began. */
  readonly staleReads: number
  /** Those of them that saw what had been replaced for longer than the policy of their collection allows. */
  readonly staleBeyondPolicy: number
  /** By collection, of those that had stale reads. */
  readonly staleness: { readonly [collection: string]: Staleness }
  /** Writes acknowledged as stored that no later read can see. */
  readonly lostWrites: number
  /** Loaders that were run for reads that found nothing. */
  readonly loaderRuns: number
  readonly bufferedWrites: number
  /** Writes acknowledged as buffered that no later read can see. */
  readonly bufferedLost: number
  readonly bound: KvLowerBound
}

/** Billed KV operations of all kinds up to a moment (milliseconds since the epoch). */
export interface Sample {
  readonly at: number
  readonly operations: number
}

/** What the requests met with so far. */
export interface Tally {
  /** Reads answered by each tier. */
  readonly answered: Record<Tier, number>
  staleReads: number
  staleBeyondPolicy: number
  readonly staleness: Map<string, Staleness>
  /** Reads that returned another entry's value: a mistake of Larder's, never of the workload's. */
  wrongReads: number
  bufferedWrites: number
  loaderRuns: number
  /** Operations that no store answered or took. */
  failed: number
}

export const newTally = (): Tally => ({
  answered: { static: 0, memory: 0, edge: 0, durable: 0, kv: 0, loader: 0 },
  staleReads: 0,
  staleBeyondPolicy: 0,
  staleness: new Map(),
  wrongReads: 0,
  bufferedWrites: 0,
  loaderRuns: 0,
  failed: 0
})

export const hitRatioOf = ({ answered }: Tally, reads: number): Replayed["hitRatio"] => {
  const ratio = (answers: number): number => (reads === 0 ? 0 : answers / reads)
  return {
    memory: ratio(answered.memory),
    edge: ratio(answered.edge),
    durable: ratio(answered.durable),
    kv: ratio(answered.kv)
  }
}

export const latencyOf = (millis: Float64Array): Replayed["latencyMs"] => {
  const sorted = millis.toSorted()
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99) }
}

/** Operations of all kinds. */
export const totalOf = ({ deletes, lists, reads, writes }: KvCounts): number => reads + writes + deletes + lists

/** Nearest rank: the least value that the fraction of all values does not exceed. */
const quantile = (sorted: Float64Array, fraction: number): number =>
  sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]!
