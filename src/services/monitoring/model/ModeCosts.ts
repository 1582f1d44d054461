import { type LedgerTotals, usdOf } from "../../ledger/Ledger.ts"
import type { Figures } from "./Figures.ts"
import { totalsIn } from "./Performance.ts"

/**
 * What an object does of its own in an hour in which something changed: its alarm, the snapshot and the rows that say so;
 * and every four hours it looks for what was written outside.
 */
const hourly = { requests: 1, rowsWritten: 4, kvWrites: 1, kvLists: 0.25 }

/** Milliseconds for which an object is billed by one request, as the replay of the scenarios measures them. */
const requestMillis = 25

/**
 * Dollars that the same would have been in objects, of what KV was asked in a span: a call is a request, a value written
 * a row, as pages are one in either. Pages bring their neighbours along in either mode, but in KV mode a location shares
 * them, and how many requests it takes where each isolate asks for itself no figure says: `least` takes all for
 * shared, `most` every read that a neighbour answered for a request.
 */
export const usdInObjects = (
  figures: Figures,
  millis: number,
  shape: LedgerTotals
): { readonly least: number; readonly most: number } => ({
  least: usdOfRequests(figures, millis, shape, 0),
  most: usdOfRequests(figures, millis, shape, figures["memory|siblingHits"] ?? 0)
})

const usdOfRequests = (figures: Figures, millis: number, shape: LedgerTotals, brought: number): number => {
  const { kv, kvCalls } = totalsIn(figures, shape)
  const hours = millis / 3_600_000
  const changes = kv.writes + kv.deletes
  const requests = kvCalls.reads + brought + changes + hourly.requests * hours
  return usdOf({
    ...shape,
    kv: { reads: 0, writes: hourly.kvWrites * hours, deletes: 0, lists: hourly.kvLists * hours },
    edge: { matches: 0, puts: 0, deletes: 0 },
    other: {},
    durableObject: { requests, rowsRead: kv.reads, rowsWritten: changes + hourly.rowsWritten * hours },
    durableObjectMillis: requests * requestMillis
  })
}
