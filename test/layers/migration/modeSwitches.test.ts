import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { phases, run, type SwitchPlan, type SwitchStep } from "../../support/migration/switchPlay.ts"
import { runs, seedOr } from "../../support/runs.ts"

/** How often the cases that matter came up. */
const seen: Record<string, number> = {}

describe("a system whose mode is switched, there and back", () => {
  it(
    "loses nothing that was acknowledged, whatever objects and KV do meanwhile",
    () =>
      fc.assert(
        fc.asyncProperty(phases, async (plan) => {
          for (const [what, times] of Object.entries(run(plan))) seen[what] = (seen[what] ?? 0) + times
          await new Promise((resume) => setImmediate(resume))
        }),
        { numRuns: runs(80), seed: seedOr(1) }
      ),
    3_600_000
  )

  it("met in the runs above what they are about", () => {
    for (const what of [
      "set stored in durable",
      "set outside in durable",
      "set stored in kv",
      "set failed in kv",
      "delete stored in durable",
      "delete stored in kv",
      "set stored in kv, of the old flag",
      "set stored in durable, of the old flag",
      "passes to kv from durable",
      "passes to kv from snapshot",
      "passes to durable from kv",
      "passes failed"
    ]) {
      expect(seen[what] ?? 0, what).toBeGreaterThan(0)
    }
  })

  const calm: SwitchPlan = { seed: 1, fates: [], faults: [], ownFaults: [], phases: [] }
  const set: SwitchStep = { _: "set", key: 0, old: false }
  const remove: SwitchStep = { _: "delete", key: 0 }
  const cron: SwitchStep = { _: "cron" }

  it("brings nothing back from a snapshot that is older than the hand-over, however often the flag is changed", () => {
    const outage: SwitchStep = { _: "outage", on: true }
    run({
      ...calm,
      phases: [
        { mode: "durable", steps: [set] },
        { mode: "kv", steps: [cron, outage, remove] },
        { mode: "durable", steps: [] },
        { mode: "kv", steps: [cron] }
      ]
    })
    run({
      ...calm,
      phases: [
        { mode: "durable", steps: [set] },
        { mode: "kv", steps: [cron, remove, cron, outage, cron] }
      ]
    })
  })

  it("keeps what was written last in either mode, and no delete is undone", () => {
    run({
      ...calm,
      phases: [
        { mode: "durable", steps: [set, cron] },
        { mode: "kv", steps: [cron, set, cron] },
        { mode: "durable", steps: [cron, set, cron, remove] },
        { mode: "kv", steps: [cron] }
      ]
    })
  })
})
