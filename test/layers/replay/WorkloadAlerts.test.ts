import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as WorkloadAlerts from "../../../src/layers/replay/WorkloadAlerts.ts"
import { countsOf } from "../../../src/services/replay/Workload.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { runs } from "../../support/runs.ts"

const collections = { states: define("alert-states"), throttle: define("throttle") }

describe("WorkloadAlerts", () => {
  it("is 288 sweeps of 220 operations, 2,640 an hour, whatever the seed", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { deletes, reads, requests, writes } = countsOf(WorkloadAlerts.make(seed, collections))
        expect(requests).toBe(288)
        expect((reads + writes + deletes) / 24).toBe(2640)
      }),
      { numRuns: runs(20) }
    )
  })

  it("sweeps every five minutes of a day, over states and providers of which none is named twice", () => {
    const workload = WorkloadAlerts.make(1, collections)
    const sweeps = Array.from({ length: workload.length }, (_, index) => workload.request(index))
    for (const [index, sweep] of sweeps.entries()) {
      if (sweep.kind !== "sweep") throw new Error(`request ${index} is no sweep`)
      expect(sweep.at - sweeps[0]!.at).toBe(index * 300_000)
      expect(new Set(sweep.states).size).toBe(100)
      expect(new Set(sweep.failures).size).toBe(10)
      expect(sweep.states.every((state) => workload.entries[state]!.collection.name === "alert-states")).toBe(true)
      expect(sweep.failures.every((provider) => workload.entries[provider]!.collection.name === "throttle")).toBe(true)
    }
  })
})
