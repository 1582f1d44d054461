import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { central, millisAt, reused } from "../../../src/services/simulation/model/KvLatency.ts"

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

it("the quantiles are met where they were measured", () => {
  expect(millisAt(central, 0.5)).toBeCloseTo(28, 9)
  expect(millisAt(central, 0.95)).toBeCloseTo(321, 9)
  expect(millisAt(central, 0.99)).toBeCloseTo(816, 9)
  expect(millisAt(reused, 0)).toBe(1)
})

it.prop("latency rises with the fraction, and stays within its ends", { a: fraction, b: fraction }, ({ a, b }) => {
  for (const quantiles of [central, reused]) {
    const [low, high] = [Math.min(a, b), Math.max(a, b)].map((fraction) => millisAt(quantiles, fraction))
    expect(low).toBeLessThanOrEqual(high!)
    expect(low).toBeGreaterThanOrEqual(quantiles[0]![1])
    expect(high).toBeLessThanOrEqual(quantiles.at(-1)![1])
  }
})
