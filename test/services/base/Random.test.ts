import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Random from "../../../src/services/base/model/Random.ts"

const take = (n: number, next: () => number): ReadonlyArray<number> => Array.from({ length: n }, next)

/** Pearson's statistic over 100 bins; its 0.9999 quantile for 99 degrees of freedom is 158. */
const unevenness = (draws: ReadonlyArray<number>): number => {
  const bins = new Array<number>(100).fill(0)
  for (const draw of draws) bins[Math.floor(draw * 100)]! += 1
  const expected = draws.length / 100
  return bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

it("the sequence of seed 1 is mulberry32's", () => {
  expect(take(3, Random.make(1)).map((draw) => Math.round(draw * 2 ** 32))).toEqual([2693262067, 11749833, 2265367787])
})

it.prop("a seed has one sequence, within [0, 1)", { seed: fc.integer() }, ({ seed }) => {
  const draws = take(100, Random.make(seed))
  expect(take(100, Random.make(seed))).toEqual(draws)
  expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true)
})

it("draws are spread evenly, along a sequence and along each argument of uniformOf", () => {
  expect(unevenness(take(100_000, Random.make(7)))).toBeLessThan(158)
  for (const of of [
    (i: number) => Random.uniformOf(i, 1, 2),
    (i: number) => Random.uniformOf(1, i, 2),
    (i: number) => Random.uniformOf(1, 2, i)
  ]) {
    expect(unevenness(Array.from({ length: 100_000 }, (_, i) => of(i)))).toBeLessThan(158)
  }
})
