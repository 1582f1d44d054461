import type { KvKind } from "./KvKind.ts"

const million = 1e6
const never = Number.POSITIVE_INFINITY

/**
 * Everything that Larder, or a Worker with it, is billed for, by the name that reports use: US dollars for one unit on
 * Workers Paid beyond the included amount; units that Workers Paid includes in a month; units that the Free plan allows
 * on a UTC day, of what is stored and of R2 in a month; and the unit. {@link sourceOf} says where it stands. The Cache
 * API is on no price page and counts as free. The monthly base fee of Workers Paid is in none of it.
 */
export const prices = {
  kvReads: [0.5e-6, 10 * million, 100_000, "key"],
  kvWrites: [5e-6, million, 1000, "key"],
  kvDeletes: [5e-6, million, 1000, "key"],
  kvLists: [5e-6, million, 1000, "request"],
  kvStored: [0.5, 1, 1, "GB-month"],
  durableObjectRequests: [0.15e-6, million, 100_000, "request"],
  durableObjectDuration: [12.5e-6, 400_000, 13_000, "GB-s"],
  durableObjectRowsRead: [0.001e-6, 25_000 * million, 5 * million, "row"],
  durableObjectRowsWritten: [1e-6, 50 * million, 100_000, "row"],
  durableObjectStored: [0.2, 5, 5, "GB-month"],
  r2ClassA: [4.5e-6, million, million, "operation"],
  r2ClassB: [0.36e-6, 10 * million, 10 * million, "operation"],
  r2Stored: [0.015, 10, 10, "GB-month"],
  d1RowsRead: [0.001e-6, 25_000 * million, 5 * million, "row"],
  d1RowsWritten: [1e-6, 50 * million, 100_000, "row"],
  d1Stored: [0.75, 5, 5, "GB-month"],
  workerRequests: [0.3e-6, 10 * million, 100_000, "request"],
  workerCpu: [0.02e-6, 30 * million, never, "ms"],
  edgeOperations: [0, never, never, "call"]
} as const satisfies { readonly [item: string]: Price }

export type Price = readonly [usd: number, paidMonth: number, freeDay: number, unit: string]

export type Item = keyof typeof prices

/** The page below developers.cloudflare.com that has an item's price, and that page's date. */
export const sourceOf = (item: Item): { readonly page: string; readonly asOf: string } => {
  if (item.startsWith("kv")) return { page: "kv/platform/pricing", asOf: "2026-04-21" }
  const page = item.startsWith("r2")
    ? "r2/pricing"
    : item.startsWith("d1")
      ? "d1/platform/pricing"
      : "workers/platform/pricing"
  return { page, asOf: pricesAsOf }
}

/** Units of each item that were used. */
export type Usage = { readonly [I in Item]?: number }

/** The latest of the pages' dates. */
export const pricesAsOf = "2026-07-07"

/** An object's memory, whatever it uses of it. Source: the pricing page's examples, 128 MB. */
const objectGb = 0.128

/** GB-s of an object that worked for so many milliseconds. */
export const gbSeconds = (millis: number): number => (millis / 1000) * objectGb

/** What one UTC day of the Free plan allows. */
export const freeDailyKv: { readonly [K in KvKind]: number } = {
  reads: prices.kvReads[2],
  writes: prices.kvWrites[2],
  deletes: prices.kvDeletes[2],
  lists: prices.kvLists[2]
}
