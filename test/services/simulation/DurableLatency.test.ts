import { expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as fc from "effect/FastCheck"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { medianAt, roundTrip } from "../../../src/services/simulation/model/DurableLatency.ts"
import { millisAt } from "../../../src/services/simulation/model/KvLatency.ts"

it.prop(
  "a location's median is from 10 to 30 ms and always the same, and no round trip outlasts the deadline",
  { seed: fc.nat(), location: fc.nat(999), draw: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) },
  ({ draw, location, seed }) => {
    const median = medianAt(seed, location)
    expect(median).toBeGreaterThanOrEqual(10)
    expect(median).toBeLessThan(30)
    expect(medianAt(seed, location)).toBe(median)
    expect(millisAt(roundTrip(median), 0.5)).toBeCloseTo(median, 9)
    expect(millisAt(roundTrip(median), draw)).toBeGreaterThanOrEqual(median / 2)
    expect(millisAt(roundTrip(median), draw)).toBeLessThan(Duration.toMillis(defaults.durableDeadline))
  }
)

it("some locations are nearer to the objects than others", () => {
  const medians = Array.from({ length: 20 }, (_, location) => medianAt(1, location))
  expect(Math.max(...medians) - Math.min(...medians)).toBeGreaterThan(10)
})
