import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { type KvFaults, soundKv } from "../../support/routing/kvFaults.ts"
import { type KvPlan, kvPlan, play } from "../../support/routing/kvPlay.ts"
import { runs, seedOr } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"

const seen: Record<string, number> = {}

const count = (what: string): void => {
  seen[what] = (seen[what] ?? 0) + 1
}

const lost: KvFaults = { every: 1, faults: { put: { kind: "lost" } } }
const put = (value: number) => ({ key: "k0", value, red: true })

/** What came up once, and what random plans come upon too seldom. */
const examples: ReadonlyArray<KvPlan> = [
  {
    batching: false,
    steps: [
      { type: "write", to: "plain", changes: [put(0)] },
      { type: "read", from: "plain", keys: ["k0"] },
      { type: "faults", faults: lost },
      { type: "invalidate" },
      { type: "faults", faults: soundKv },
      { type: "read", from: "plain", keys: ["k0"] }
    ]
  },
  {
    batching: false,
    steps: [
      { type: "write", to: "memory", changes: [put(0)] },
      { type: "faults", faults: lost },
      { type: "write", to: "memory", changes: [put(1)] },
      { type: "faults", faults: soundKv },
      { type: "read", from: "memory", keys: ["k0"] }
    ]
  }
]

describe("the promise of the KV mode, over a namespace that refuses, loses, is silent, slow and late:", () => {
  it("what was acknowledged is read, what was not is told in its row, and nothing else is absent", async () => {
    await fc.assert(
      fc.asyncProperty(kvPlan, (plan) => Effect.runPromise(virtually(play(plan, count)))),
      { numRuns: runs(250), seed: seedOr(1), examples: examples.map((plan): [KvPlan] => [plan]) }
    )
    for (const what of [
      "changes stored",
      "changes refused",
      "changes failed",
      "reads found",
      "reads absent",
      "reads failed",
      "loads answered by loader",
      "lists answered",
      "clears",
      "clears failed",
      "invalidations",
      "invalidations failed"
    ]) {
      expect(seen[what] ?? 0, what).toBeGreaterThan(0)
    }
  }, 3_600_000)
})
