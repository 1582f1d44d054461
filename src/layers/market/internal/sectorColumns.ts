import type { SectorPanel } from "../../../services/market/model/SectorPanel.ts"
import { leastRise, leastVariance } from "../../../services/market/Sectors.ts"

/**
 * The loops over a panel. Each reads whole rows in the order they lie in memory, and adds into one accumulator per
 * sector; a `NaN` in a row is a value that compares false, so that what is missing costs no test of its own.
 */

/** By sector, the mean return by weight from row `from` to row `to`; all `NaN` where the panel does not reach back. */
export const meanReturns = (panel: SectorPanel, from: number, to: number): Float64Array => {
  const { closes, sectorOf, weights } = panel
  const width = panel.symbols.length
  const sums = new Float64Array(panel.sectors.length)
  const weighed = new Float64Array(panel.sectors.length)
  if (from < 0) return sums.fill(Number.NaN)
  const before = from * width
  const after = to * width
  for (let s = 0; s < width; s++) {
    const change = closes[after + s]! / closes[before + s]! - 1
    if (change < Number.POSITIVE_INFINITY) {
      const sector = sectorOf[s]!
      sums[sector]! += weights[s]! * change
      weighed[sector]! += weights[s]!
    }
  }
  for (let sector = 0; sector < sums.length; sector++) sums[sector]! /= weighed[sector]!
  return sums
}

/** The sectors' returns of the last `days` days, those of a sector side by side, the oldest first. */
export const returnSeries = (panel: SectorPanel, days: number): Float64Array => {
  const count = panel.sectors.length
  const series = new Float64Array(count * days).fill(Number.NaN)
  const last = panel.days.length - 1
  for (let day = Math.max(0, days - last); day < days; day++) {
    const row = last - days + 1 + day
    const returns = meanReturns(panel, row - 1, row)
    for (let sector = 0; sector < count; sector++) series[sector * days + day] = returns[sector]!
  }
  return series
}

/** The returns of one series of closes over its last `days` days. */
export const changes = (closes: Float64Array, days: number): Float64Array => {
  const series = new Float64Array(days).fill(Number.NaN)
  const first = closes.length - days
  for (let day = Math.max(0, 1 - first); day < days; day++) {
    const change = closes[first + day]! / closes[first + day - 1]! - 1
    if (change < Number.POSITIVE_INFINITY) series[day] = change
  }
  return series
}

/** By sector, the share of its members that close above their mean of the last `days` days. */
export const breadths = (panel: SectorPanel, days: number): Float64Array => {
  const { closes, sectorOf } = panel
  const width = panel.symbols.length
  const last = panel.days.length - 1
  const sums = new Float64Array(width)
  const known = new Uint16Array(width)
  for (let row = Math.max(0, last - days + 1); row <= last; row++) {
    const at = row * width
    for (let s = 0; s < width; s++) {
      const close = closes[at + s]!
      if (close > 0) {
        sums[s]! += close
        known[s]! += 1
      }
    }
  }
  const above = new Float64Array(panel.sectors.length)
  const members = new Float64Array(panel.sectors.length)
  for (let s = 0; s < width; s++) {
    const close = closes[last * width + s]!
    if (close > 0 && 2 * known[s]! >= days) {
      members[sectorOf[s]!]! += 1
      if (close > (sums[s]! / known[s]!) * (1 + leastRise)) above[sectorOf[s]!]! += 1
    }
  }
  for (let sector = 0; sector < above.length; sector++) above[sector]! /= members[sector]!
  return above
}

/** Standard deviation (n - 1) of what there is of a series, if that is half of it. */
export const deviation = (series: Float64Array): number => {
  let count = 0
  let sum = 0
  for (const value of series) {
    if (!Number.isNaN(value)) {
      count += 1
      sum += value
    }
  }
  if (count < 2 || 2 * count < series.length) return Number.NaN
  const mean = sum / count
  let squares = 0
  for (const value of series) if (!Number.isNaN(value)) squares += (value - mean) * (value - mean)
  return Math.sqrt(squares / (count - 1))
}

/** Pearson's correlation over the days that both series have, if that is half of them and neither stands still. */
export const correlation = (a: Float64Array, b: Float64Array): number => {
  let count = 0
  let sumA = 0
  let sumB = 0
  for (let day = 0; day < a.length; day++) {
    if (!Number.isNaN(a[day]! + b[day]!)) {
      count += 1
      sumA += a[day]!
      sumB += b[day]!
    }
  }
  if (count < 2 || 2 * count < a.length) return Number.NaN
  const meanA = sumA / count
  const meanB = sumB / count
  let squaresA = 0
  let squaresB = 0
  let products = 0
  for (let day = 0; day < a.length; day++) {
    const fromA = a[day]! - meanA
    const fromB = b[day]! - meanB
    const product = fromA * fromB
    if (!Number.isNaN(product)) {
      squaresA += fromA * fromA
      squaresB += fromB * fromB
      products += product
    }
  }
  if (!(squaresA / count > leastVariance && squaresB / count > leastVariance)) return Number.NaN
  return Math.max(-1, Math.min(1, products / Math.sqrt(squaresA * squaresB)))
}
