import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { Ledger, type LedgerEvent, type LedgerTotals, noCounts } from "../../../src/services/ledger/Ledger.ts"
import type { KvKind } from "../../../src/services/ledger/model/KvKind.ts"

const kinds = ["reads", "writes", "deletes", "lists"] as const
const kind = fc.constantFrom<KvKind>(...kinds)
const count = fc.nat(1000)
const name = fc.constantFrom("default", "signals", "~", "__proto__", "constructor")

const event: fc.Arbitrary<LedgerEvent> = fc.oneof(
  fc.record({
    tier: fc.constant("kv" as const),
    namespace: fc.constantFrom("CACHE_KV", "CACHE_DO_KV"),
    collection: name,
    kind,
    billed: count,
    calls: count
  }),
  fc.record({ tier: fc.constant("kvRefused" as const), namespace: name, collection: name, kind }),
  fc.record({
    tier: fc.constant("edge" as const),
    kind: fc.constantFrom("matches" as const, "puts" as const, "deletes" as const)
  }),
  fc.record({
    tier: fc.constant("durableObject" as const),
    requests: count,
    rowsRead: count,
    rowsWritten: count,
    millis: count
  }),
  fc.record({
    tier: fc.constant("other" as const),
    item: fc.constantFrom("r2ClassA" as const, "d1RowsRead" as const),
    count
  }),
  fc.record({ tier: fc.constant("logical" as const), collection: name, kind, count })
)

const sum = <A>(items: ReadonlyArray<A>, of: (item: A) => number): number =>
  items.reduce((total, item) => total + of(item), 0)

it.prop(
  "totals are the sums of what was recorded, and so are the rows of every table",
  { events: fc.array(event, { maxLength: 50 }) },
  ({ events }) => {
    const ledger = LedgerMemory.make(0)
    for (const event of events) ledger.record(event)
    const { total, byNamespace, byCollection } = ledger.report()
    for (const kind of kinds) {
      const kv = events.filter((event) => event.tier === "kv").filter((event) => event.kind === kind)
      expect(total.kv[kind]).toBe(sum(kv, (event) => event.billed))
      expect(total.kvCalls[kind]).toBe(sum(kv, (event) => event.calls))
      expect(total.kvRefused[kind]).toBe(
        events.filter((event) => event.tier === "kvRefused" && event.kind === kind).length
      )
      expect(total.logical[kind]).toBe(
        sum(events, (event) => (event.tier === "logical" && event.kind === kind ? event.count : 0))
      )
      expect(sum(Object.values(byNamespace), (row) => row.kv[kind])).toBe(total.kv[kind])
      expect(sum(Object.values(byNamespace), (row) => row.kvCalls[kind])).toBe(total.kvCalls[kind])
      expect(sum(Object.values(byCollection), (row) => row.kv[kind])).toBe(total.kv[kind])
      expect(sum(Object.values(byCollection), (row) => row.logical[kind])).toBe(total.logical[kind])
    }
    for (const kind of ["matches", "puts", "deletes"] as const) {
      expect(total.edge[kind]).toBe(events.filter((event) => event.tier === "edge" && event.kind === kind).length)
    }
    const objects = events.filter((event) => event.tier === "durableObject")
    expect(total.durableObject).toEqual({
      requests: sum(objects, (event) => event.requests),
      rowsRead: sum(objects, (event) => event.rowsRead),
      rowsWritten: sum(objects, (event) => event.rowsWritten)
    })
    expect(total.durableObjectMillis).toBe(sum(objects, (event) => event.millis ?? 0))
    const others = events.filter((event) => event.tier === "other")
    for (const item of ["r2ClassA", "d1RowsRead"] as const) {
      const own = others.filter((event) => event.item === item)
      expect(total.other[item] ?? 0).toBe(sum(own, (event) => event.count))
    }
  }
)

it("a million of each KV operation cost their list price, and the saving is against the logical ones", () => {
  const ledger = LedgerMemory.make(0)
  for (const kind of kinds) {
    ledger.record({ tier: "logical", collection: "default", kind, count: 10_000_000 })
    ledger.record({ tier: "kv", namespace: "CACHE_KV", collection: "default", kind, billed: 1_000_000, calls: 1 })
  }
  ledger.record({ tier: "durableObject", requests: 1_000_000, rowsRead: 1_000_000, rowsWritten: 1_000_000 })
  ledger.record({ tier: "durableObject", requests: 0, rowsRead: 0, rowsWritten: 0, millis: 1_000_000_000 })
  ledger.record({ tier: "other", item: "r2ClassA", count: 1_000_000 })
  ledger.record({ tier: "other", item: "workerRequests", count: 1_000_000 })
  const { usd } = ledger.report()
  expect(usd.withoutLarder).toBeCloseTo(155, 9)
  expect(usd.spent).toBeCloseTo(15.5 + 0.15 + 0.001 + 1 + 128_000 * 12.5e-6 + 4.5, 9)
  expect(usd.saved).toBeCloseTo(usd.withoutLarder - usd.spent, 9)
  expect(usd.pricesAsOf).toBe("2026-07-07")
})

it("a report does not change after it was given", () => {
  const ledger = LedgerMemory.make(0)
  const read = (): void =>
    ledger.record({ tier: "kv", namespace: "N", collection: "c", kind: "reads", billed: 1, calls: 1 })
  read()
  const before: { readonly total: LedgerTotals } = ledger.report()
  const copy = structuredClone(before)
  read()
  expect(before).toEqual(copy)
  expect(ledger.report().total.kv).toEqual({ ...noCounts, reads: 2 })
})

it.effect("the ledger begins when its layer is built", () =>
  Effect.gen(function* () {
    yield* TestClock.setTime(1_000)
    const report = yield* Effect.provide(
      Effect.map(Ledger, (ledger) => ledger.report()),
      LedgerMemory.layer
    )
    expect(report.since).toBe(1_000)
  })
)
