import { uniformOf } from "../../../services/base/model/Random.ts"

/**
 * A Brownian motion that was always there: unit variance a unit of time, the same for everyone who asks, whatever was
 * asked before. Lévy's construction (1948): the middle of every dyadic interval is the mean of its ends plus a normal
 * deviate of its own, here a hash of the interval, so that one moment costs as many deviates as there are levels.
 * Between knots it is a straight line.
 */
const coarse = 14

/** Knots a unit of time. */
export const knotsPerUnit = 2 ** 7

/** Time runs from 0 to this. */
const spanUnits = 2 ** coarse

const knots = spanUnits * knotsPerUnit

/** Standard normal. Box and Muller, 1958. */
export const normalOf = (seed: number, level: number, index: number): number =>
  Math.sqrt(-2 * Math.log(1 - uniformOf(seed, 2 * level, index))) *
  Math.cos(2 * Math.PI * uniformOf(seed, 2 * level + 1, index))

/**
 * Its values at every `step`-th knot from `first` to `last`, both multiples of `step`, which is a power of two. Costs
 * about two deviates a value.
 */
export const path = (seed: number, first: number, last: number, step = 1): Float64Array => {
  const values = new Float64Array((last - first) / step + 1)
  const fill = (low: number, atLow: number, high: number, atHigh: number, level: number): void => {
    if (high < first || low > last) return
    if (low >= first) values[(low - first) / step] = atLow
    if (high <= last) values[(high - first) / step] = atHigh
    if (high - low === step) return
    const middle = (low + high) / 2
    const deviation = Math.sqrt((high - low) / knotsPerUnit / 4)
    const atMiddle = (atLow + atHigh) / 2 + deviation * normalOf(seed, level, middle)
    fill(low, atLow, middle, atMiddle, level + 1)
    fill(middle, atMiddle, high, atHigh, level + 1)
  }
  fill(0, 0, knots, Math.sqrt(spanUnits) * normalOf(seed, 0, 0), 1)
  return values
}
