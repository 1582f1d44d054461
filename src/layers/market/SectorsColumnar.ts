import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { SectorPanel } from "../../services/market/model/SectorPanel.ts"
import {
  lookback,
  quadrantOf,
  type Rotation,
  type SectorFigures,
  type SectorSnapshot,
  Sectors,
  tradingDaysOfYear,
  type Window,
  windows
} from "../../services/market/Sectors.ts"
import { breadths, changes, correlation, deviation, meanReturns, returnSeries } from "./internal/sectorColumns.ts"
import { driversOf } from "./internal/sectorDrivers.ts"

/** Returns that rotation needs: of the quarter before, and of the days up to now. */
const rotationDays = lookback.quarter - 1 + lookback.rotation

const snapshot = (panel: SectorPanel): SectorSnapshot => {
  const count = panel.sectors.length
  const last = panel.days.length - 1
  const back = (from: number, to = 0) => meanReturns(panel, last - from, last - to)
  const returns = Object.entries(windows).map(([name, days]) => [name as Window, back(days)] as const)
  const momentum = back(lookback.momentumFrom, lookback.momentumTo)
  const breadth = breadths(panel, lookback.breadth)
  const series = returnSeries(panel, rotationDays)
  const market = changes(panel.market, rotationDays)
  const quarter = Array.from({ length: count }, (_, sector) =>
    series.subarray((sector + 1) * rotationDays - lookback.quarter, (sector + 1) * rotationDays)
  )
  const marketQuarter = panel.market[last]! / panel.market[last - lookback.quarter]!
  const weights = new Float64Array(count)
  let weighed = 0
  for (let s = 0; s < panel.symbols.length; s++) {
    weights[panel.sectorOf[s]!]! += panel.weights[s]!
    weighed += panel.weights[s]!
  }
  const quarterly = returns.find(([name]) => name === "3m")![1]
  return {
    asOf: panel.days[last] ?? "",
    sectors: panel.sectors.map((id, sector): SectorFigures => {
      const strength = (1 + quarterly[sector]!) / marketQuarter - 1
      return {
        id,
        weight: weights[sector]! / weighed,
        returns: Object.fromEntries(returns.map(([name, all]) => [name, all[sector]!])) as SectorFigures["returns"],
        volatility: deviation(quarter[sector]!) * Math.sqrt(tradingDaysOfYear),
        breadth: breadth[sector]!,
        momentum: momentum[sector]!,
        relativeStrength: strength < Number.POSITIVE_INFINITY ? strength : Number.NaN,
        rotation: rotationOf(series.subarray(sector * rotationDays, (sector + 1) * rotationDays), market)
      }
    }),
    correlation: correlations(quarter),
    drivers: driversOf(panel)
  }
}

const correlations = (series: ReadonlyArray<Float64Array>): Float64Array => {
  const count = series.length
  const matrix = new Float64Array(count * count)
  for (let i = 0; i < count; i++) {
    for (let j = i; j < count; j++) {
      const value = correlation(series[i]!, series[j]!)
      matrix[i * count + j] = value
      matrix[j * count + i] = value
    }
  }
  return matrix
}

const nowhere: Rotation = { strength: Number.NaN, momentum: Number.NaN, quadrant: undefined }

const known = (series: Float64Array): number => series.reduce((count, value) => count + Number(!Number.isNaN(value)), 0)

const growthOf = (change: number): number => (Number.isNaN(change) ? 1 : 1 + change)

const rotationOf = (sector: Float64Array, market: Float64Array): Rotation => {
  if (2 * known(sector) < rotationDays || 2 * known(market) < rotationDays) return nowhere
  const ratio = new Float64Array(rotationDays + 1)
  ratio[0] = 1
  for (let day = 0; day < rotationDays; day++) {
    ratio[day + 1] = (ratio[day]! * growthOf(sector[day]!)) / growthOf(market[day]!)
  }
  const strengthAt = (end: number): number => {
    let sum = 0
    for (let day = end - lookback.quarter + 1; day <= end; day++) sum += ratio[day]!
    return ratio[end]! / (sum / lookback.quarter)
  }
  const strength = strengthAt(rotationDays)
  const momentum = strength / strengthAt(rotationDays - lookback.rotation)
  return { strength, momentum, quadrant: quadrantOf(strength, momentum) }
}

const columnar: Context.Tag.Service<Sectors> = { snapshot }

export const layer: Layer.Layer<Sectors> = Layer.succeed(Sectors, columnar)
