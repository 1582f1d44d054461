import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Headlines } from "../../services/market/Headlines.ts"
import { type MarketData, MarketDataError } from "../../services/market/MarketData.ts"
import { type Analysis, analyse, analyses, momentumDays } from "../../services/market/model/Analysis.ts"
import { type DailyReport, dailyReports } from "../../services/market/model/DailyReport.ts"
import { lastOver, type SessionDay } from "../../services/market/model/SessionsBehind.ts"
import { monthOf, type Signal, signals, signalsOf } from "../../services/market/model/Signal.ts"
import type { Sentiment, SymbolSentiment } from "../../services/market/Sentiment.ts"
import type { Throttle } from "../../services/market/Throttle.ts"
import { Repository } from "../../services/repository/Repository.ts"
import { StaticData } from "../../services/static-data/StaticData.ts"
import type { StoreError } from "../../services/store/Store.ts"
import { readPress } from "./analyzeSentiment.ts"
import { askProvider } from "./askProvider.ts"
import { composeReport } from "./composeReport.ts"
import { trackSignals } from "./trackSignals.ts"

/** The exchange whose days are reported. */
export const homeExchange = "XNYS"

/** After a close, until the closing prices have settled. */
export const settling = Duration.minutes(10)

export interface Published {
  readonly report: DailyReport
  /** False when the day's report had been published before. */
  readonly published: boolean
}

/**
 * The report of the last trading day that is over, unless it has been published: never before a close, the early ones
 * included, and whenever it is run after it; none when no calendar knows the day. What is kept beside it (analyses,
 * signals, their tracking) is written before it, and comes out the same when a run that died is repeated.
 */
export const publishDailyReport: Effect.Effect<
  Option.Option<Published>,
  MarketDataError | StoreError,
  Repository | MarketData | Throttle | StaticData | Headlines | Sentiment
> = Effect.gen(function* () {
  const data = yield* StaticData
  const repository = yield* Repository
  const now = yield* Clock.currentTimeMillis
  const day = lastOver(data, homeExchange, now - Duration.toMillis(settling))
  if (day === undefined) {
    yield* Effect.logWarning("the calendar of the home exchange knows no trading day that is over: no report")
    return Option.none()
  }
  const known = yield* repository.get(dailyReports, day.date)
  if (Option.isSome(known)) return Option.some({ report: known.value, published: false })
  const report = yield* makeReport(day, now)
  yield* repository.set(dailyReports, day.date, report)
  yield* Effect.logInfo(`the report of ${day.date} is published`, report.summary)
  return Option.some({ report, published: true })
})

const makeReport = (day: SessionDay, now: number) =>
  Effect.gen(function* () {
    const data = yield* StaticData
    const symbols = data.symbols.map(({ symbol }) => symbol)
    const stocks = data.symbols.flatMap(({ kind, symbol }) => (kind === "stock" ? [symbol] : []))
    const history = yield* askProvider("history", (market) =>
      market.history(symbols, { days: momentumDays + 2, upTo: day.date })
    )
    const closes = new Map(
      [...history].map(([symbol, days]) => [symbol, new Map(days.map(({ close, date }) => [date, close]))] as const)
    )
    const sessions = data.tradingDays(homeExchange, day.date, momentumDays + 2) ?? []
    const press = yield* Effect.catchAll(readPress(stocks), (error) =>
      Effect.as(Effect.logWarning("a report without the press", error), new Map<string, SymbolSentiment>())
    )
    const closed = (symbol: string, date: string): number | undefined => closes.get(symbol)?.get(date)
    const made = yield* keepSignals(day.date, sessions, stocks, closed, press)
    const outcomes = yield* trackSignals(sessions, closed)
    const report = composeReport(data, day, closed, [...press.values()], made, outcomes, now)
    return report === undefined
      ? yield* new MarketDataError({
          operation: "history",
          reason: "Malformed",
          detail: `it has no close of the market's fund on ${day.date} yet`
        })
      : report
  })

/** The day's analyses, and the signals that they give. */
const keepSignals = (
  date: string,
  sessions: ReadonlyArray<string>,
  stocks: ReadonlyArray<string>,
  closed: (symbol: string, date: string) => number | undefined,
  press: ReadonlyMap<string, SymbolSentiment>
) =>
  Effect.gen(function* () {
    const repository = yield* Repository
    const present: Array<Analysis> = []
    const made: Array<Signal> = []
    for (const symbol of stocks) {
      if (closed(symbol, date) === undefined) continue
      const past = sessions.flatMap((session) => closed(symbol, session) ?? [])
      const now = analyse(symbol, past)
      const before = analyse(symbol, past.slice(0, -1))
      if (now === undefined) continue
      present.push(now)
      if (before !== undefined) made.push(...signalsOf(date, now, before, press.get(symbol)))
    }
    yield* repository.set(analyses, date, { date, analyses: present })
    const month = yield* repository.get(signals, monthOf(date))
    const known = Option.match(month, { onNone: () => [], onSome: (it) => it.signals })
    const others = known.filter((signal) => signal.date !== date)
    if (made.length > 0 || others.length < known.length) {
      yield* repository.set(signals, monthOf(date), { signals: [...others, ...made] })
    }
    return made
  })
