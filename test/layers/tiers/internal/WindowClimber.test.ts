import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { WindowClimber } from "../../../../src/layers/tiers/internal/WindowClimber.ts"
import { runs } from "../../../support/runs.ts"

/** The shares tried while the hit ratio depends on the share; hits are spread evenly, so that nothing is left to luck. */
const climb = (hitRatio: (share: number, sample: number) => number, samples: number): ReadonlyArray<number> => {
  const climber = new WindowClimber()
  const shares: Array<number> = []
  let owed = 0
  while (shares.length < samples) {
    owed += hitRatio(climber.share, shares.length)
    const hit = owed >= 1
    if (hit) owed--
    if (climber.record(hit, 100)) shares.push(climber.share)
  }
  return shares
}

const mean = (values: ReadonlyArray<number>) => values.reduce((sum, each) => sum + each, 0) / values.length

describe("the window climber", () => {
  it("goes where the hits are, and stays about there", () => {
    expect(mean(climb((share) => 0.3 + 0.4 * share, 200).slice(50))).toBeGreaterThan(0.6)
    expect(mean(climb((share) => 0.7 - 0.4 * share, 200).slice(50))).toBeLessThan(0.15)
    expect(Math.abs(mean(climb((share) => 0.6 - Math.abs(share - 0.4), 200).slice(50)) - 0.4)).toBeLessThan(0.1)
  })

  it("turns when the workload does", () => {
    const turning = (share: number, sample: number) => (sample < 100 ? 0.7 - 0.4 * share : 0.2 + 0.4 * share)
    expect(mean(climb(turning, 300).slice(200))).toBeGreaterThan(0.5)
  })

  it("finds a cliff in flat country", () => {
    expect(climb((share) => (share > 0.6 ? 0.5 : 0.02), 100).filter((share) => share > 0.6).length).toBeGreaterThan(20)
  })

  it("leaves either side its room, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 }), (ratios) => {
        for (const share of climb((_, sample) => ratios[sample % ratios.length]!, 60)) {
          expect(share).toBeGreaterThan(0)
          expect(share).toBeLessThanOrEqual(0.75)
        }
      }),
      { numRuns: runs(20) }
    )
  })
})
