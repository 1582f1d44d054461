import * as Context from "effect/Context"
import { usdOf as usdOfUsage } from "./model/Bill.ts"
import type { KvKind } from "./model/KvKind.ts"
import { gbSeconds, type Usage } from "./model/Prices.ts"

export type KvCounts = { readonly [K in KvKind]: number }

/** One physical operation as its port saw it, or one logical operation as the store was asked for it. */
export type LedgerEvent =
  | {
      readonly tier: "kv"
      readonly namespace: string
      readonly collection: string
      readonly kind: KvKind
      /** Keys (or list requests) that Cloudflare bills. */
      readonly billed: number
      /** Calls to the binding. */
      readonly calls: number
    }
  | { readonly tier: "kvRefused"; readonly namespace: string; readonly collection: string; readonly kind: KvKind }
  | { readonly tier: "edge"; readonly kind: "matches" | "puts" | "deletes" }
  | {
      readonly tier: "durableObject"
      readonly requests: number
      readonly rowsRead: number
      readonly rowsWritten: number
      /** Wall-clock milliseconds for which objects worked that did not before. Default 0. */
      readonly millis?: number
    }
  /** Units of what no other event counts. */
  | { readonly tier: "other"; readonly item: OtherItem; readonly count: number }
  /** What the caller asked for: without Larder, each would have been one KV operation of this kind. */
  | { readonly tier: "logical"; readonly collection: string; readonly kind: KvKind; readonly count: number }

/** What is counted by the name that the price table has for it. */
export type OtherItem = "r2ClassA" | "r2ClassB" | "d1RowsRead" | "d1RowsWritten" | "workerRequests"

export interface LedgerTotals {
  /** Billed keys. */
  readonly kv: KvCounts
  readonly kvCalls: KvCounts
  /** Operations KV refused (rate, daily or invocation limit); counted apart, not billed here. */
  readonly kvRefused: KvCounts
  readonly edge: { readonly matches: number; readonly puts: number; readonly deletes: number }
  readonly durableObject: { readonly requests: number; readonly rowsRead: number; readonly rowsWritten: number }
  /** Wall-clock milliseconds for which objects worked, as their callers saw it: an upper bound, with the way there and back. */
  readonly durableObjectMillis: number
  readonly other: { readonly [I in OtherItem]?: number }
  readonly logical: KvCounts
}

export interface LedgerReport {
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly total: LedgerTotals
  readonly byNamespace: { readonly [namespace: string]: { readonly kv: KvCounts; readonly kvCalls: KvCounts } }
  /** A bulk read of several collections is a call of the first of them. */
  readonly byCollection: {
    readonly [collection: string]: { readonly kv: KvCounts; readonly kvCalls: KvCounts; readonly logical: KvCounts }
  }
  readonly usd: {
    /** List price of what was done, past the included amounts. */
    readonly spent: number
    /** List price of the logical operations as one KV operation each. */
    readonly withoutLarder: number
    readonly saved: number
    /** Date of the price table. */
    readonly pricesAsOf: string
  }
}

/** Counts every physical operation of every tier. Synchronous: counting must never fail or wait. */
export class Ledger extends Context.Tag("larder/Ledger")<
  Ledger,
  {
    readonly record: (event: LedgerEvent) => void
    readonly report: () => LedgerReport
    /** `usd.spent` of the report, without making one. */
    readonly spent: () => number
  }
>() {}

export const noCounts: KvCounts = { reads: 0, writes: 0, deletes: 0, lists: 0 }

/** The physical operations of a period by the names of the price table. */
export const usageOf = ({ durableObject, durableObjectMillis, edge, kv, other }: LedgerTotals): Usage => ({
  kvReads: kv.reads,
  kvWrites: kv.writes,
  kvDeletes: kv.deletes,
  kvLists: kv.lists,
  durableObjectRequests: durableObject.requests,
  durableObjectDuration: gbSeconds(durableObjectMillis),
  durableObjectRowsRead: durableObject.rowsRead,
  durableObjectRowsWritten: durableObject.rowsWritten,
  ...other,
  edgeOperations: edge.matches + edge.puts + edge.deletes
})
/** Dollars at list price for the physical operations of a period, included amounts disregarded. */
export const usdOf = (total: LedgerTotals): number => usdOfUsage(usageOf(total))

/** Dollars at list price had every logical operation been one KV operation. */
export const usdWithout = ({ logical }: Pick<LedgerTotals, "logical">): number =>
  usdOfUsage({
    kvReads: logical.reads,
    kvWrites: logical.writes,
    kvDeletes: logical.deletes,
    kvLists: logical.lists
  })
