import { type KvCounts, type LedgerTotals, noCounts, usdOf } from "./Ledger.ts"

/** What a hand-over is billed. */
export interface Bill {
  readonly kv: KvCounts
  readonly durableObject: LedgerTotals["durableObject"]
}

export const noBill: Bill = { kv: noCounts, durableObject: { requests: 0, rowsRead: 0, rowsWritten: 0 } }

/** Dollars at list price. */
export const usd = (bill: Bill): number =>
  usdOf({
    ...bill,
    kvCalls: noCounts,
    kvRefused: noCounts,
    edge: { matches: 0, puts: 0, deletes: 0 },
    logical: noCounts
  })

/** What was billed between two looks at the ledger. */
export const between = (before: LedgerTotals, after: LedgerTotals): Bill => combined((a, b) => b - a, before, after)

export const sum = (a: Bill, b: Bill): Bill => combined((a, b) => a + b, a, b)

/** Calls of bindings between two looks: what an invocation has a limited number of. */
export const callsBetween = (before: LedgerTotals, after: LedgerTotals): number => calls(after) - calls(before)

/** The work of one page: `heads` looked at, `pending` to copy, `questioned` to look for in the source, `gone`. */
export interface Work {
  readonly heads: number
  /** Undefined for a page that only drops. */
  readonly pending?: number
  readonly questioned?: number
  readonly gone?: number
}

/** A page is listed and read for its versions, its notes are read; what is copied is read in KV, put, and noted. */
export const toKv = ({ gone = 0, heads, pending, questioned = 0 }: Work): Bill => ({
  kv: {
    reads: (pending ?? 0) + gone,
    writes: pending ?? 0,
    deletes: gone,
    lists: pending === undefined ? 1 : 0
  },
  durableObject: {
    requests: (pending === undefined ? 1 : 3) + ((pending ?? questioned) > 0 ? 2 : 0),
    rowsRead: (pending === undefined ? 1 : 3) * heads + (pending ?? questioned),
    rowsWritten: (pending ?? 0) + gone
  }
})

/** A page is listed, its notes are read; what is copied is read, written as a row and noted as another. */
export const toDurable = ({ gone = 0, heads, pending, questioned = 0 }: Work): Bill => ({
  kv: {
    reads: (pending ?? 0) + questioned,
    writes: 0,
    deletes: 0,
    lists: pending === undefined ? 0 : 1
  },
  durableObject: {
    requests: (pending === undefined ? 3 : 1) + ((pending ?? gone) > 0 ? 2 : 0),
    rowsRead: (pending === undefined ? 3 : 1) * heads + (pending ?? 0),
    rowsWritten: 2 * (pending ?? gone)
  }
})

const calls = ({ durableObject, kvCalls }: LedgerTotals): number =>
  kvCalls.reads + kvCalls.writes + kvCalls.deletes + kvCalls.lists + durableObject.requests

const combined = (combine: (a: number, b: number) => number, a: Bill, b: Bill): Bill => ({
  kv: {
    reads: combine(a.kv.reads, b.kv.reads),
    writes: combine(a.kv.writes, b.kv.writes),
    deletes: combine(a.kv.deletes, b.kv.deletes),
    lists: combine(a.kv.lists, b.kv.lists)
  },
  durableObject: {
    requests: combine(a.durableObject.requests, b.durableObject.requests),
    rowsRead: combine(a.durableObject.rowsRead, b.durableObject.rowsRead),
    rowsWritten: combine(a.durableObject.rowsWritten, b.durableObject.rowsWritten)
  }
})
