import { type KvCounts, type LedgerTotals, noCounts, usdOf } from "../Ledger.ts"

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
    durableObjectMillis: 0,
    other: {},
    logical: noCounts
  })

/** What was billed between two looks at the ledger. */
export const between = (before: LedgerTotals, after: LedgerTotals): Bill => combined((a, b) => b - a, before, after)

export const sum = (a: Bill, b: Bill): Bill => combined((a, b) => a + b, a, b)

/** Calls of bindings between two looks: what an invocation has a limited number of. */
export const callsBetween = (before: LedgerTotals, after: LedgerTotals): number => calls(after) - calls(before)

/** What a page of the source takes. */
export interface Copying {
  readonly heads: number
  /** Entries to copy. */
  readonly pending: number
  /** Entries that are only noted again. */
  readonly noted: number
}

/** What a page of the target takes. */
export interface Dropping {
  readonly heads: number
  /** Entries to look for in the source. */
  readonly questioned: number
  readonly gone: number
}

export interface Tariff {
  readonly copying: (work: Copying) => Bill
  readonly dropping: (work: Dropping) => Bill
}

const bill = (kv: Partial<KvCounts>, requests: number, rowsRead: number, rowsWritten: number): Bill => ({
  kv: { ...noCounts, ...kv },
  durableObject: { requests, rowsRead, rowsWritten }
})

/** A page is listed and read for its versions and its notes; what is copied is read, looked for in KV, put and noted. */
export const toKv: Tariff = {
  copying: ({ heads, noted, pending }) =>
    bill({ reads: pending, writes: pending }, pending + noted > 0 ? 5 : 3, 3 * heads + pending, pending + noted),
  dropping: ({ gone, heads, questioned }) =>
    bill({ reads: gone, deletes: gone, lists: 1 }, gone > 0 ? 3 : 2, heads + questioned, gone)
}

/** A page is listed, its notes are read; what is copied is read, written as one row and noted as another. */
export const toDurable: Tariff = {
  copying: ({ heads, noted, pending }) =>
    bill({ reads: pending, lists: 1 }, pending + noted > 0 ? 3 : 1, heads + noted, 2 * pending + noted),
  dropping: ({ gone, heads, questioned }) => bill({ reads: questioned }, gone > 0 ? 5 : 3, 3 * heads, 2 * gone)
}

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
