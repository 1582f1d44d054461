import type { KvKind } from "./KvKind.ts"

/** US dollars per million operations on Workers Paid, beyond the included amounts. */
export interface Prices {
  readonly asOf: string
  readonly kv: { readonly [K in KvKind]: number }
  readonly durableObject: {
    /** RPC sessions, HTTP requests and alarms. */
    readonly requests: number
    readonly rowsRead: number
    readonly rowsWritten: number
  }
}

/** Sources: workers/platform/pricing of 2026-07-07 and kv/platform/pricing of 2026-04-21. The Cache API has no listed price. */
export const prices: Prices = {
  asOf: "2026-07-07",
  kv: { reads: 0.5, writes: 5, deletes: 5, lists: 5 },
  durableObject: { requests: 0.15, rowsRead: 0.001, rowsWritten: 1 }
}

/** What one UTC day of the Free plan allows. Source: kv/platform/limits of 2026-04-21. */
export const freeDailyKv: { readonly [K in KvKind]: number } = {
  reads: 100_000,
  writes: 1_000,
  deletes: 1_000,
  lists: 1_000
}
