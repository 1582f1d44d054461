import * as Duration from "effect/Duration"
import { prices } from "../../ledger/model/Prices.ts"
import type { Collection } from "../../store/model/Collection.ts"
import { type CollectionFigures, collectionsIn } from "./Performance.ts"
import type { Basis, Recommendation } from "./Recommendation.ts"

/** Fewer operations of a collection say nothing of it. */
const leastOperations = 100

/** Keys of one call, from which pages are worth it. */
const leastTogether = 4

const sum = (counts: object): number => Object.values(counts).reduce((total: number, one) => total + one, 0)

const count = (value: number): string => Math.round(value).toLocaleString("en-US")

const priceOf = (item: "kvReads" | "kvWrites" | "durableObjectRequests" | "durableObjectRowsWritten"): number =>
  prices[item][0]

/** `COLLECTIONS` with one policy of one collection changed. */
const withPolicy = (text: string | undefined, name: string, policy: object): string => {
  const declared = text === undefined ? {} : (JSON.parse(text) as Record<string, object>)
  return JSON.stringify({ ...declared, [name]: { ...declared[name], ...policy } })
}

/** `COLLECTIONS` with the rule that joins two keys; undefined where it takes a look at the keys to say where it applies. */
export const aliasChange = (
  { collectionsText, settings }: Basis,
  name: string,
  rule: string,
  keys: readonly [string, string]
): { readonly name: string; readonly value: string } | undefined => {
  const declared = settings.collections.get(name)?.policy.alias ?? []
  const isOneSegment = keys.every((key) => !/[/?]/.test(key))
  const to = keys.some((key) => key === key.toUpperCase()) ? "upper" : "lower"
  const more = rule === "order" ? { rule } : rule === "case" && isOneSegment ? { rule, to } : undefined
  if (more === undefined || declared.some((one) => one.rule === rule)) return undefined
  return { name: "COLLECTIONS", value: withPolicy(collectionsText, name, { alias: [...declared, more] }) }
}

/** What asking the store of record for a collection took: operations of KV, or requests of objects. */
const beyond = ({ answered, kv, logical }: CollectionFigures, durable: boolean): number =>
  durable ? answered.durable + logical.writes + logical.deletes : kv.reads

/**
 * Requests of objects that a collection's operations were made in: what remains of all when every operation of the others
 * is taken for a request of its own. Where the others batch theirs, it is too low.
 */
const rpcsOf = (of: CollectionFigures, all: ReadonlyArray<CollectionFigures>, requests: number): number =>
  Math.min(
    beyond(of, true),
    Math.max(
      1,
      all.reduce((rest, other) => (other === of ? rest : rest - beyond(other, true)), requests)
    )
  )

/** What the policies of collections could save, by what was counted of each. */
export const adviseOnPolicies = (basis: Basis, monthly: (amount: number) => number): ReadonlyArray<Recommendation> => {
  const { collectionsText, figures, settings, shape } = basis
  const { collections, durableMode } = settings
  const all = collectionsIn(figures, shape)
  return all.flatMap((of): ReadonlyArray<Recommendation> => {
    const collection = collections.get(of.collection)
    if (collection === undefined) return []
    const change = (policy: object) => ({
      name: "COLLECTIONS",
      value: withPolicy(collectionsText, of.collection, policy)
    })
    return [
      ...packing(of, collection, all, basis, monthly, change),
      ...memoryTtl(of, collection, durableMode, monthly, change),
      ...flushing(of, collection, durableMode, monthly, change)
    ]
  })
}

type Change = (policy: object) => { readonly name: string; readonly value: string }
type Monthly = (amount: number) => number

/** Keys that are read together in one call, each billed by itself, would lie in one page. */
const packing = (
  of: CollectionFigures,
  { policy }: Collection,
  all: ReadonlyArray<CollectionFigures>,
  { figures, settings: { durableMode } }: Basis,
  monthly: Monthly,
  change: Change
): ReadonlyArray<Recommendation> => {
  const asked = beyond(of, durableMode)
  if (policy.packed || asked < leastOperations) return []
  const own = durableMode ? rpcsOf(of, all, figures["ledger|durableObject|requests"] ?? 0) : of.kvCalls.reads
  // Figures of before calls were counted say nothing of them.
  if (own === 0) return []
  const together = asked / own
  if (together < leastTogether) return []
  const writes = durableMode ? of.logical.writes + of.logical.deletes : of.kv.writes
  const sparedWrites = writes * (1 - 1 / together)
  const sparedReads = durableMode ? 0 : asked - own
  const usd =
    sparedReads * priceOf("kvReads") + sparedWrites * priceOf(durableMode ? "durableObjectRowsWritten" : "kvWrites")
  return [
    {
      id: `pack-${of.collection}`,
      title: `Keep entries of ${of.collection} in pages`,
      figure: `${count(asked)} keys in ${count(own)} calls, ${count(together)} each; ${count(writes)} writes, one by one`,
      setting: change({ packed: true }),
      saves: { operationsPerMonth: monthly(sparedReads + sparedWrites), usdPerMonth: monthly(usd) },
      risk: "In KV mode two isolates that write one page at once may lose a write."
    }
  ]
}

/** From this share of hits on, a longer life in memory hardly pays; below the other, hardly anything is asked twice. */
const mostHits = 0.95
const leastHits = 0.2

/**
 * Reads of a key at random moments find it in memory with the probability h = rt / (1 + rt), r their rate and t the time
 * that it lives there: twice the time leaves (1 + rt) / (1 + 2rt) of the misses.
 */
const memoryTtl = (
  of: CollectionFigures,
  { millis, policy }: Collection,
  durable: boolean,
  monthly: Monthly,
  change: Change
): ReadonlyArray<Recommendation> => {
  const { answered, logical, reads } = of
  const missed = durable ? answered.durable : answered.kv
  const hits = reads === 0 ? 0 : answered.memory / (answered.memory + missed)
  const changes = logical.writes + logical.deletes
  if (missed < leastOperations || hits < leastHits || hits > mostHits || changes * 10 > reads) return []
  if (!Number.isFinite(millis.memoryTtl) || millis.memoryTtl === 0 || millis.memoryTtl >= millis.ttl / 2) return []
  const times = hits / (1 - hits)
  const spared = missed * (1 - (1 + times) / (1 + 2 * times))
  const seconds = (2 * millis.memoryTtl) / 1000
  return [
    {
      id: `ttl-${of.collection}`,
      title: `Keep entries of ${of.collection} in memory for ${seconds} seconds`,
      figure: `memory answered ${(hits * 100).toFixed(0)} % of ${count(reads)} reads within ${Duration.toSeconds(policy.memoryTtl)} seconds each; ${count(changes)} changes`,
      setting: change({ memoryTtl: seconds }),
      saves: {
        operationsPerMonth: monthly(spared),
        usdPerMonth: monthly(spared * priceOf(durable ? "durableObjectRequests" : "kvReads"))
      },
      risk: `Reads may be ${seconds} seconds old.`
    }
  ]
}

/** Writes behind that are flushed as often as they may be: with twice the time there are half as many flushes. */
const flushing = (
  { collection, kv, logical }: CollectionFigures,
  { policy }: Collection,
  durable: boolean,
  monthly: Monthly,
  change: Change
): ReadonlyArray<Recommendation> => {
  if (durable || policy.write !== "behind" || kv.writes < leastOperations) return []
  if (sum(logical) === 0 || logical.writes < 2 * kv.writes) return []
  const spared = kv.writes / 2
  const seconds = 2 * Duration.toSeconds(policy.flushEvery)
  return [
    {
      id: `flush-${collection}`,
      title: `Flush ${collection} every ${seconds} seconds`,
      figure: `${count(logical.writes)} writes became ${count(kv.writes)} of KV`,
      setting: change({ flushEvery: seconds }),
      saves: { operationsPerMonth: monthly(spared), usdPerMonth: monthly(spared * priceOf("kvWrites")) },
      risk: `What was written within ${seconds} seconds is lost with its isolate.`
    }
  ]
}
