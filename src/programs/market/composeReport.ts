import { type DailyReport, type Moved, summaryOf } from "../../services/market/model/DailyReport.ts"
import type { SessionDay } from "../../services/market/model/SessionsBehind.ts"
import type { Signal } from "../../services/market/model/Signal.ts"
import type { Outcome } from "../../services/market/model/SignalTracking.ts"
import { combined, type Scored } from "../../services/market/Sentiment.ts"
import type { StaticData } from "../../services/static-data/StaticData.ts"

/** Stocks that are named for each direction. */
const named = 5

/** The report of a day; undefined while the market as a whole has no close of it, or of the day before. */
export const composeReport = (
  data: Pick<StaticData["Type"], "sectors" | "symbols">,
  { date, previous, session }: SessionDay,
  closed: (symbol: string, date: string) => number | undefined,
  press: ReadonlyArray<Scored>,
  signals: ReadonlyArray<Signal>,
  outcomes: ReadonlyArray<Outcome>,
  publishedAt: number
): DailyReport | undefined => {
  const moves = new Map<string, Moved>()
  for (const { symbol } of data.symbols) {
    const close = closed(symbol, date)
    const before = closed(symbol, previous)
    if (close !== undefined && before !== undefined) moves.set(symbol, { symbol, close, change: close / before - 1 })
  }
  const market = data.symbols.flatMap(({ kind, symbol }) => (kind === "market" ? (moves.get(symbol) ?? []) : []))[0]
  if (market === undefined) return undefined
  const stocks = data.symbols
    .flatMap(({ kind, symbol }) => (kind === "stock" ? (moves.get(symbol) ?? []) : []))
    .sort((a, b) => b.change - a.change)
  const up = stocks.filter(({ change }) => change > 0)
  const down = stocks.filter(({ change }) => change < 0)
  const { confidence, label, score } = combined(press)
  const day = {
    market,
    breadth: { up: up.length, down: down.length, unchanged: stocks.length - up.length - down.length },
    sectors: data.sectors
      .flatMap(({ etf, id, name }) => {
        const change = moves.get(etf)?.change
        return change === undefined ? [] : [{ id, name, etf, change }]
      })
      .sort((a, b) => b.change - a.change),
    signals,
    tracking: { judged: outcomes.length, right: outcomes.filter(({ right }) => right).length, outcomes }
  }
  return {
    date,
    publishedAt,
    earlyClose: session.early,
    summary: summaryOf(day),
    ...day,
    movers: { up: up.slice(0, named), down: down.slice(-named).reverse() },
    sentiment: press.length === 0 ? null : { score, label, confidence },
    missing: data.symbols.flatMap(({ symbol }) => (moves.has(symbol) ? [] : [symbol]))
  }
}
