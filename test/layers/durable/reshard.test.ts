import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { run } from "../../support/durable/reshardPlay.ts"
import { plan } from "../../support/durable/reshardScenario.ts"
import { runs, seedOr } from "../../support/runs.ts"

const seen: Record<string, number> = {}
const count = (what: string) => {
  seen[what] = (seen[what] ?? 0) + 1
}

describe("a reshard", () => {
  it("stopped anywhere and sent again, whatever is lost on the way, is no change to what is kept", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (told) => {
        run(told, count)
        // Lets the test runner breathe.
        await new Promise((resume) => setImmediate(resume))
      }),
      { numRuns: Math.max(runs(40), 12), seed: seedOr(1), endOnFailure: process.env.RESHARD_SHRINK === undefined }
    )
    for (const what of [
      "write applied",
      "write Moving",
      "write Unavailable",
      "read done",
      "list done",
      "lease Granted",
      "lease Found",
      "invalidate Success",
      "invalidate Failure",
      "clear Success",
      "clear Failure",
      "reshard true",
      "reshard false",
      "reshard TimeoutException",
      "reshard DurableCacheError"
    ]) {
      expect(seen[what] ?? 0, what).toBeGreaterThan(0)
    }
  }, 3_600_000)
})
