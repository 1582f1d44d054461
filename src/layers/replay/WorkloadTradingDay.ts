import * as Random from "../../services/base/model/Random.ts"
import { dateOf } from "../../services/base/model/UtcDay.ts"
import { epoch } from "../../services/replay/model/Trace.ts"
import type { TradingDayCollections } from "../../services/replay/model/TradingDay.ts"
import type { Workload, WorkloadEntry, WorkloadRequest } from "../../services/replay/Workload.ts"
import { makeSessions } from "./internal/tradingSessions.ts"
import { makeWrites } from "./internal/tradingWrites.ts"
import * as WorkloadAlerts from "./WorkloadAlerts.ts"

export interface TradingDayTables {
  /** 60 symbols in the order of their popularity. */
  readonly symbols: ReadonlyArray<string>
  /** The 11 sectors, by the fund that stands for each. */
  readonly sectors: ReadonlyArray<string>
}

/** The kinds of entry of the day, and where each stands in the workload. */
export interface TradingDayEntries {
  readonly price: (symbol: number) => number
  /** Over the last month, or the last year. */
  readonly analysis: (symbol: number, range: 0 | 1) => number
  readonly sentiment: (symbol: number) => number
  readonly sector: (sector: number) => number
  readonly signal: (symbol: number) => number
  readonly tracking: (symbol: number) => number
  /** The reports of the day: before the open, at noon, after the close. */
  readonly report: (number: number) => number
  readonly staticRow: (symbol: number) => number
}

/** The names of the day's reports. */
const reports = ["open", "noon", "close"] as const

/**
 * A trading day of the market desk: the alerts' 24 hours; some 20,000 requests in sessions, most of them while the
 * exchange is open, 15 % of them for static tables and 30 % in another spelling than the entry's own; and 663 writes
 * of prices, sentiment, signals, tracking and three reports.
 */
export const make = (
  seed: number,
  collections: TradingDayCollections,
  { sectors, symbols }: TradingDayTables
): Workload["Type"] => {
  const draw = Random.make(seed)
  const alerts = WorkloadAlerts.make(seed, collections)
  const entries: Array<WorkloadEntry> = [...alerts.entries]

  const add = (collection: TradingDayCollections[keyof TradingDayCollections], size: number, initial = true) => {
    const first = entries.length
    return {
      keys: (keys: ReadonlyArray<string>) => {
        for (const key of keys) entries.push({ collection, key, size, initial })
        return first
      }
    }
  }

  const date = dateOf(epoch)
  const price = add(collections.prices, 180).keys(symbols)
  const month = add(collections.analyses, 900).keys(symbols)
  const year = add(collections.analyses, 1800).keys(symbols.map((symbol) => `${symbol}?range=1y`))
  const sentiment = add(collections.sentiment, 300).keys(symbols)
  const sector = add(collections.sectors, 500).keys(sectors)
  const signal = add(collections.signals, 250).keys(symbols)
  const tracking = add(collections.tracking, 150).keys(symbols)
  const report = add(collections.reports, 4000, false).keys(reports.map((name) => `${date}/${name}`))
  const staticRow = add(collections.static, 120).keys(symbols.map((symbol) => `symbols/${symbol}`))
  const where: TradingDayEntries = {
    price: (symbol) => price + symbol,
    analysis: (symbol, range) => (range === 0 ? month : year) + symbol,
    sentiment: (symbol) => sentiment + symbol,
    sector: (number) => sector + number,
    signal: (symbol) => signal + symbol,
    tracking: (symbol) => tracking + symbol,
    report: (number) => report + number,
    staticRow: (symbol) => staticRow + symbol
  }

  const sweeps = Array.from({ length: alerts.length }, (_, index) => alerts.request(index))
  const requests: ReadonlyArray<WorkloadRequest> = [
    ...sweeps,
    ...makeWrites(draw, where, symbols.length, entries),
    ...makeSessions(draw, where, entries, { sectors: sectors.length, symbols: symbols.length, date })
  ].sort((a, b) => a.at - b.at)

  return { name: "trading-day", length: requests.length, request: (index) => requests[index]!, entries }
}
