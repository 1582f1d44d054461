import type { DailyCloses } from "../../../src/services/market/MarketHistory.ts"
import type { Drivers, Rotation, SectorFigures } from "../../../src/services/market/Sectors.ts"

/** One symbol as an object, as it would be read from a key of its own. */
export interface Stock {
  readonly symbol: string
  readonly sector: string
  /** Undefined where it is not known. */
  readonly weight: number | undefined
  /** One bar a day, the oldest first; no close where there is none. */
  readonly bars: ReadonlyArray<{ readonly date: string; readonly close: number | undefined }>
}

export interface Market {
  readonly sectors: ReadonlyArray<string>
  readonly stocks: ReadonlyArray<Stock>
  readonly market: Stock["bars"]
}

export interface ReferenceSnapshot {
  readonly asOf: string
  readonly sectors: ReadonlyArray<SectorFigures>
  /** By the ids of two sectors. */
  readonly correlation: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly drivers: Drivers
}

/** A history as one object for each symbol. */
export const marketOf = (
  history: DailyCloses,
  sectors: ReadonlyArray<string>,
  sectorOf: (symbol: string) => number | undefined,
  market: string
): Market => {
  const positive = (value: number | undefined) =>
    value !== undefined && value > 0 && Number.isFinite(value) ? value : undefined
  const barsOf = (column: number) =>
    history.days.map((date, day) => ({
      date,
      close: column === -1 ? undefined : positive(history.closes[day * history.symbols.length + column])
    }))
  return {
    sectors,
    stocks: history.symbols.flatMap((symbol, column) => {
      const sector = sectorOf(symbol)
      return sector === undefined
        ? []
        : [{ symbol, sector: sectors[sector]!, weight: positive(history.weights[column]), bars: barsOf(column) }]
    }),
    market: barsOf(history.symbols.indexOf(market))
  }
}

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

const mean = (values: ReadonlyArray<number>) => sum(values) / values.length

const isNumber = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value)

/** Simple return between two bars, or undefined. */
const changeOf = (bars: Stock["bars"], from: number, to: number): number | undefined => {
  const before = bars[from]?.close
  const after = bars[to]?.close
  if (before === undefined || after === undefined) return undefined
  const change = after / before - 1
  return Number.isFinite(change) ? change : undefined
}

/** Mean of the members' returns by weight, over those that have one. */
const returnOf = (members: ReadonlyArray<Stock>, from: number, to: number): number => {
  let total = 0
  let weights = 0
  for (const { bars, weight } of members) {
    const change = changeOf(bars, from, to)
    if (change === undefined || weight === undefined) continue
    total += weight * change
    weights += weight
  }
  return weights === 0 ? Number.NaN : total / weights
}

const volatilityOf = (returns: ReadonlyArray<number>): number => {
  const known = returns.filter(isNumber)
  if (known.length < 2 || known.length < returns.length / 2) return Number.NaN
  const average = mean(known)
  return Math.sqrt(sum(known.map((value) => (value - average) ** 2)) / (known.length - 1)) * Math.sqrt(252)
}

const breadthOf = (members: ReadonlyArray<Stock>, last: number): number => {
  let judged = 0
  let above = 0
  for (const { bars } of members) {
    let total = 0
    let known = 0
    for (const { close } of bars.slice(Math.max(0, last - 49), last + 1)) {
      if (close === undefined) continue
      total += close
      known += 1
    }
    const close = bars[last]?.close
    if (close === undefined || known < 25) continue
    judged += 1
    if (close > (total / known) * (1 + 1e-12)) above += 1
  }
  return judged === 0 ? Number.NaN : above / judged
}

const correlationOf = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  const pairs = a.map((value, day) => [value, b[day]!] as const).filter(([x, y]) => isNumber(x) && isNumber(y))
  if (pairs.length < 2 || pairs.length < a.length / 2) return Number.NaN
  const meanX = mean(pairs.map(([x]) => x))
  const meanY = mean(pairs.map(([, y]) => y))
  const varianceX = mean(pairs.map(([x]) => (x - meanX) ** 2))
  const varianceY = mean(pairs.map(([, y]) => (y - meanY) ** 2))
  if (varianceX <= 1e-24 || varianceY <= 1e-24) return Number.NaN
  return mean(pairs.map(([x, y]) => (x - meanX) * (y - meanY))) / Math.sqrt(varianceX * varianceY)
}

const rotationOf = (sector: ReadonlyArray<number>, market: ReadonlyArray<number>): Rotation => {
  const enough = [sector, market].every((series) => series.filter(isNumber).length >= series.length / 2)
  if (!enough) return { strength: Number.NaN, momentum: Number.NaN, quadrant: undefined }
  const index = (series: ReadonlyArray<number>) => {
    const values = [1]
    for (const change of series) values.push(values.at(-1)! * (isNumber(change) ? 1 + change : 1))
    return values
  }
  const own = index(sector)
  const whole = index(market)
  const ratio = own.map((value, day) => value / whole[day]!)
  const strengthAt = (day: number) => ratio[day]! / mean(ratio.slice(day - 62, day + 1))
  const strength = strengthAt(72)
  const momentum = strength / strengthAt(62)
  if (Number.isNaN(strength) || Number.isNaN(momentum)) return { strength, momentum, quadrant: undefined }
  const quadrant = strength >= 1 ? (momentum >= 1 ? "leading" : "weakening") : momentum >= 1 ? "improving" : "lagging"
  return { strength, momentum, quadrant }
}

const driversOf = ({ market, sectors, stocks }: Market, last: number): Drivers => {
  const present = stocks.flatMap((stock) => {
    const change = changeOf(stock.bars, last - 1, last)
    return change === undefined || stock.weight === undefined ? [] : [{ stock, change, weight: stock.weight }]
  })
  const total = sum(present.map(({ weight }) => weight))
  const moved = present.map(({ change, stock, weight }) => ({
    symbol: stock.symbol,
    sector: stock.sector,
    change,
    contribution: (weight * change) / total
  }))
  const largestFirst = (a: { contribution: number }, b: { contribution: number }) =>
    Math.abs(b.contribution) - Math.abs(a.contribution)
  return {
    move: moved.length === 0 ? Number.NaN : sum(moved.map(({ contribution }) => contribution)),
    market: changeOf(market, last - 1, last) ?? Number.NaN,
    sectors: sectors
      .map((id) => ({
        id,
        contribution: sum(moved.filter(({ sector }) => sector === id).map(({ contribution }) => contribution))
      }))
      .sort(largestFirst),
    symbols: moved.sort(largestFirst).slice(0, 10)
  }
}

/** The arithmetic of `Sectors` over objects, written for being right, not for speed. */
export const snapshot = (market: Market): ReferenceSnapshot => {
  const last = market.market.length - 1
  const membersOf = new Map(market.sectors.map((id) => [id, market.stocks.filter(({ sector }) => sector === id)]))
  const daysBack = (days: number) => Array.from({ length: days }, (_, day) => last - days + 1 + day)
  const seriesOf = new Map(
    market.sectors.map((id) => [id, daysBack(72).map((day) => returnOf(membersOf.get(id)!, day - 1, day))])
  )
  const marketSeries = daysBack(72).map((day) => changeOf(market.market, day - 1, day) ?? Number.NaN)
  const quarterOf = (id: string) => seriesOf.get(id)!.slice(-63)
  const marketQuarter = changeOf(market.market, last - 63, last) ?? Number.NaN
  const weightOf = (stocks: ReadonlyArray<Stock>) => sum(stocks.map(({ weight }) => weight ?? 0))
  return {
    asOf: market.market.at(-1)?.date ?? "",
    sectors: market.sectors.map((id) => {
      const members = membersOf.get(id)!
      const back = (days: number) => returnOf(members, last - days, last)
      return {
        id,
        weight: weightOf(members) / weightOf(market.stocks),
        returns: { "1d": back(1), "1w": back(5), "1m": back(21), "3m": back(63), "6m": back(126), "1y": back(252) },
        volatility: volatilityOf(quarterOf(id)),
        breadth: breadthOf(members, last),
        momentum: returnOf(members, last - 252, last - 21),
        relativeStrength: (1 + back(63)) / (1 + marketQuarter) - 1,
        rotation: rotationOf(seriesOf.get(id)!, marketSeries)
      }
    }),
    correlation: Object.fromEntries(
      market.sectors.map((a) => [
        a,
        Object.fromEntries(market.sectors.map((b) => [b, correlationOf(quarterOf(a), quarterOf(b))]))
      ])
    ),
    drivers: driversOf(market, last)
  }
}
