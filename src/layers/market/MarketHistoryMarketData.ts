import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type DailyClose, MarketData, type MarketDataError } from "../../services/market/MarketData.ts"
import { type DailyCloses, MarketHistory, MarketHistoryError } from "../../services/market/MarketHistory.ts"

/** Sessions over which turnover is averaged: about a month. */
const turnoverDays = 21

const reasonOf = ({ reason }: MarketDataError): MarketHistoryError["reason"] => {
  switch (reason) {
    case "RateLimited":
    case "Malformed":
      return reason
    case "Refused":
      return "NoCalendar"
    default:
      return "Unavailable"
  }
}

/**
 * The closes that the provider of prices has. No chart tells a capitalisation, so a symbol weighs what is turned over in
 * it: the mean of close times volume over its last 21 sessions.
 */
export const make = (market: MarketData["Type"]): MarketHistory["Type"] => ({
  closes: (symbols, upTo, count) =>
    market.history(symbols, { days: count, upTo }).pipe(
      Effect.mapError((cause) => new MarketHistoryError({ operation: "closes", reason: reasonOf(cause), cause })),
      Effect.map((found) => asBlock(symbols, found, count))
    )
})

const asBlock = (
  symbols: ReadonlyArray<string>,
  found: ReadonlyMap<string, ReadonlyArray<DailyClose>>,
  count: number
): DailyCloses => {
  const dates = new Set<string>()
  for (const days of found.values()) for (const { date } of days) dates.add(date)
  const days = [...dates].sort().slice(-count)
  const rows = new Map(days.map((date, index) => [date, index]))
  const closes = new Float64Array(days.length * symbols.length).fill(Number.NaN)
  const weights = new Float64Array(symbols.length).fill(Number.NaN)
  for (const [column, symbol] of symbols.entries()) {
    const known = found.get(symbol) ?? []
    for (const { close, date } of known) {
      const row = rows.get(date)
      if (row !== undefined) closes[row * symbols.length + column] = close
    }
    const recent = known.slice(-turnoverDays)
    const turnover = recent.reduce((sum, { close, volume }) => sum + close * volume, 0) / recent.length
    if (turnover > 0) weights[column] = turnover
  }
  return { days, symbols, closes, weights }
}

export const layer: Layer.Layer<MarketHistory, never, MarketData> = Layer.effect(
  MarketHistory,
  Effect.map(MarketData, make)
)
