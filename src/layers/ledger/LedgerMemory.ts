import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Ledger, type LedgerEvent, type OtherItem, usdOf, usdWithout } from "../../services/ledger/Ledger.ts"
import type { KvKind } from "../../services/ledger/model/KvKind.ts"
import { pricesAsOf } from "../../services/ledger/model/Prices.ts"

type Counts = { [K in KvKind]: number }

const zero = (): Counts => ({ reads: 0, writes: 0, deletes: 0, lists: 0 })

const rowOf = <A>(table: Map<string, A>, name: string, fresh: () => A): A => {
  let row = table.get(name)
  if (row === undefined) {
    row = fresh()
    table.set(name, row)
  }
  return row
}

const snapshot = <A>(table: Map<string, A>): { readonly [name: string]: A } =>
  Object.fromEntries(structuredClone(table))

/** Counts in the memory of this isolate, from `since` (milliseconds since the epoch) on. */
export const make = (since: number): Context.Tag.Service<Ledger> => {
  const total = {
    kv: zero(),
    kvCalls: zero(),
    kvRefused: zero(),
    edge: { matches: 0, puts: 0, deletes: 0 },
    durableObject: { requests: 0, rowsRead: 0, rowsWritten: 0 },
    durableObjectMillis: 0,
    other: {} as { [I in OtherItem]?: number },
    logical: zero()
  }
  const namespaces = new Map<string, { kv: Counts; kvCalls: Counts }>()
  const collections = new Map<string, { kv: Counts; kvCalls: Counts; logical: Counts }>()
  const namespaceOf = (name: string) => rowOf(namespaces, name, () => ({ kv: zero(), kvCalls: zero() }))
  const collectionOf = (name: string) =>
    rowOf(collections, name, () => ({ kv: zero(), kvCalls: zero(), logical: zero() }))

  const record = (event: LedgerEvent): void => {
    switch (event.tier) {
      case "kv": {
        total.kv[event.kind] += event.billed
        total.kvCalls[event.kind] += event.calls
        const namespace = namespaceOf(event.namespace)
        namespace.kv[event.kind] += event.billed
        namespace.kvCalls[event.kind] += event.calls
        const collection = collectionOf(event.collection)
        collection.kv[event.kind] += event.billed
        collection.kvCalls[event.kind] += event.calls
        return
      }
      case "kvRefused":
        total.kvRefused[event.kind] += 1
        return
      case "edge":
        total.edge[event.kind] += 1
        return
      case "durableObject":
        total.durableObject.requests += event.requests
        total.durableObject.rowsRead += event.rowsRead
        total.durableObject.rowsWritten += event.rowsWritten
        total.durableObjectMillis += event.millis ?? 0
        return
      case "other":
        total.other[event.item] = (total.other[event.item] ?? 0) + event.count
        return
      case "logical":
        total.logical[event.kind] += event.count
        collectionOf(event.collection).logical[event.kind] += event.count
    }
  }

  return {
    record,
    spent: () => usdOf(total),
    report: () => {
      const spent = usdOf(total)
      const withoutLarder = usdWithout(total)
      return {
        since,
        total: structuredClone(total),
        byNamespace: snapshot(namespaces),
        byCollection: snapshot(collections),
        usd: { spent, withoutLarder, saved: withoutLarder - spent, pricesAsOf }
      }
    }
  }
}

export const layer: Layer.Layer<Ledger> = Layer.effect(Ledger, Effect.map(Clock.currentTimeMillis, make))
