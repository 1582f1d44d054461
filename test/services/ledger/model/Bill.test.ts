import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { makeActiveTime } from "../../../../src/services/durable/model/ActiveTime.ts"
import { type BilledPeriod, billOf, usageAtRest, usdOf } from "../../../../src/services/ledger/model/Bill.ts"
import { type Item, prices, type Usage } from "../../../../src/services/ledger/model/Prices.ts"

const day: BilledPeriod = { millis: 86_400_000, requests: 1000, plan: "paid", atRest: {} }

const items = Object.keys(prices) as ReadonlyArray<Item>

const usage = fc.dictionary(fc.constantFrom(...items), fc.nat(1e6)) as fc.Arbitrary<Usage>

describe("the bill", () => {
  it("counts everything but what a Worker pays with or without a cache", () => {
    const bill = billOf({ kvWrites: 1000, workerRequests: 1e6, workerCpu: 1e6 }, day)
    expect(bill.total).toBeCloseTo(0.005, 12)
    expect(bill.perMillionRequests).toBeCloseTo(5, 9)
    expect(bill.lines.map(({ counted, item }) => [item, counted])).toStrictEqual([
      ["kvWrites", true],
      ["workerRequests", false],
      ["workerCpu", false]
    ])
  })

  it.prop("is the sum of its lines that count, and a month of 30 such days", { usage }, ({ usage }) => {
    const bill = billOf(usage, day)
    const counted = bill.lines.filter((line) => line.counted)
    expect(bill.total).toBeCloseTo(
      counted.reduce((sum, { usd }) => sum + usd, 0),
      9
    )
    expect(bill.total).toBe(usdOf(usage))
    expect(bill.month.list).toBeCloseTo(30 * bill.total, 6)
    expect(bill.month.plan).toBeLessThanOrEqual(bill.month.list + 1e-9)
  })

  it("takes off what Workers Paid includes in a month, line by line", () => {
    const bill = billOf({ kvWrites: 50_000, kvReads: 1000 }, day)
    expect(bill.month.list).toBeCloseTo(30 * (0.25 + 0.0005), 9)
    expect(bill.month.plan).toBeCloseTo((1_500_000 - 1_000_000) * 5e-6, 9)
    expect(billOf({ kvWrites: 50_000 }, { ...day, plan: "free" }).month.plan).toBe(0)
  })

  it("names the limit of the free plan that is met first, and when", () => {
    expect(billOf({ kvWrites: 2000, kvReads: 150_000 }, day).freePlanFirstLimit).toStrictEqual({
      item: "kvWrites",
      perDay: 1000,
      used: 2000,
      afterHours: 12
    })
    const within = billOf({ durableObjectRowsWritten: 29_569, durableObjectRequests: 12_631 }, day).freePlanFirstLimit
    expect(within).toMatchObject({ item: "durableObjectRowsWritten", perDay: 100_000, afterHours: null })
    expect(within!.used).toBeCloseTo(29_569, 6)
    expect(billOf({ r2ClassA: 40_000, kvWrites: 1 }, day).freePlanFirstLimit?.item).toBe("r2ClassA")
    expect(billOf({}, day).freePlanFirstLimit).toBeNull()
  })

  it("says what the KV lines would cost with KV Instant, where each change costs ten cents", () => {
    expect(billOf({ kvReads: 1e6, kvWrites: 3, kvDeletes: 2, kvLists: 1 }, day).kvInstant).toBeCloseTo(0.2 + 0.6, 9)
  })

  it("at rest is part of the total, and durable mode costs more there than KV mode", () => {
    expect(billOf({ kvLists: 6 }, { ...day, atRest: { kvLists: 6 } }).atRest).toBeCloseTo(30e-6, 12)
    expect(usdOf(usageAtRest(true))).toBeGreaterThan(usdOf(usageAtRest(false)))
  })
})

describe("how long an object works", () => {
  it("counts calls that overlap once, objects each for itself", () => {
    const active = makeActiveTime()
    active.begin("a", 0)
    active.begin("a", 5)
    active.begin("b", 6)
    expect(active.end("a", 8)).toBe(0)
    expect(active.end("b", 9)).toBe(3)
    expect(active.end("a", 20)).toBe(20)
    active.begin("a", 30)
    expect(active.end("a", 31)).toBe(1)
  })
})
