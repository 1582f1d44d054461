import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as WorkloadTradingDay from "../../../src/layers/replay/WorkloadTradingDay.ts"
import { epoch } from "../../../src/services/replay/model/Trace.ts"
import { collections } from "../../../src/services/replay/model/TradingDay.ts"
import { countsOf, readsOf, type Workload, type WorkloadRequest } from "../../../src/services/replay/Workload.ts"
import { runs } from "../../support/runs.ts"

const tables = {
  symbols: ["AAPL", "MSFT", "NVDA", ...Array.from({ length: 57 }, (_, index) => `SYM${index}`)],
  sectors: Array.from({ length: 11 }, (_, index) => `XL${index}`)
}

const day = (seed: number) => WorkloadTradingDay.make(seed, collections(), tables)

const requestsOf = (workload: Workload["Type"]): ReadonlyArray<WorkloadRequest> =>
  Array.from({ length: workload.length }, (_, index) => workload.request(index))

const share = (part: number, whole: number): number => part / whole

describe("WorkloadTradingDay", () => {
  it("is a day of 288 sweeps, some 20,000 requests and 663 other writes, whatever the seed", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const workload = day(seed)
        const requests = requestsOf(workload)
        const sweeps = requests.filter(({ kind }) => kind === "sweep")
        const asking = requests.filter((request) => readsOf(request).length > 0)
        expect(sweeps).toHaveLength(288)
        expect(Math.abs(asking.length - 20_000)).toBeLessThan(2000)
        expect(countsOf(workload).writes - 288 * 110).toBe(663)
        expect(requests.every(({ at }) => at >= epoch && at < epoch + 86_400_000)).toBe(true)
        for (const [index, { at }] of requests.entries())
          expect(at).toBeGreaterThanOrEqual(requests[index - 1]?.at ?? 0)
      }),
      { numRuns: runs(5) }
    )
  })

  it("asks 15 % for static tables and 30 % in another spelling, never of what is written", () => {
    const workload = day(3)
    const asking = requestsOf(workload).filter((request) => readsOf(request).length > 0)
    const isStatic = (request: WorkloadRequest) =>
      readsOf(request).every((entry) => workload.entries[entry]!.collection.name === "static")
    const isVariant = (request: WorkloadRequest) =>
      request.kind === "readMany"
        ? request.asked.some((key, index) => key !== workload.entries[request.entries[index]!]!.key)
        : request.kind === "read" && request.asked !== undefined
    expect(share(asking.filter(isStatic).length, asking.length)).toBeCloseTo(0.15, 1)
    expect(share(asking.filter(isVariant).length, asking.length)).toBeGreaterThan(0.28)
    expect(share(asking.filter(isVariant).length, asking.length)).toBeLessThan(0.36)
  })

  it("writes what the day needs stored through, and each in a collection of its own kind", () => {
    const workload = day(1)
    const { reports, signals, states } = collections()
    for (const { policy } of [states, signals, reports]) expect(policy.write).toBe("through")
    for (const request of requestsOf(workload)) {
      if (request.kind !== "writeMany") continue
      expect(new Set(request.entries.map((entry) => workload.entries[entry]!.collection.name)).size).toBe(1)
      expect(new Set(request.entries).size).toBe(request.entries.length)
    }
  })

  it("is the same for the same seed, and another for another", () => {
    expect(requestsOf(day(7))).toStrictEqual(requestsOf(day(7)))
    expect(requestsOf(day(7))).not.toStrictEqual(requestsOf(day(8)))
  })
})
