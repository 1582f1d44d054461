import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type DailyClose, MarketData, MarketDataError } from "../../services/market/MarketData.ts"
import type { Quote } from "../../services/market/model/Quote.ts"
import { lastBegun, lastOver, type SessionDay } from "../../services/market/model/SessionsBehind.ts"
import { StaticData, type SymbolRow } from "../../services/static-data/StaticData.ts"
import { closesOf, type Paths, type Profile, profileOf, tradedIn, weekdayNumber } from "./internal/samplePrices.ts"

/**
 * Generated prices of the symbols of the static data: a function of symbol and time alone, so that every isolate, in
 * any order, sees the same. One factor moves the market, one each sector, one each symbol; a quarter of a day's variance
 * falls between the close and the next open; outside of the sessions of its exchange nothing trades. Nobody ever paid
 * these prices.
 */
export const make = (staticData: StaticData["Type"]): MarketData["Type"] => {
  const profiles = new Map<string, Profile>()

  const profile = ({ kind, sector, symbol }: SymbolRow): Profile => {
    let found = profiles.get(symbol)
    if (found === undefined) {
      found = profileOf(symbol, sector ?? undefined, kind !== "stock")
      profiles.set(symbol, found)
    }
    return found
  }

  const rows = (symbols: ReadonlyArray<string>): ReadonlyArray<SymbolRow> =>
    symbols.flatMap((symbol) => staticData.symbol(symbol) ?? [])

  const quote = (paths: Paths, row: SymbolRow, day: SessionDay, now: number): Quote => {
    const it = profile(row)
    const [before] = closesOf(paths, it, [weekdayNumber(day.previous)])
    return {
      symbol: row.symbol,
      currency: row.currency,
      at: Math.min(now, day.session.close),
      previousClose: before!.close,
      ...tradedIn(paths, it, day.session, weekdayNumber(day.date), now)
    }
  }

  const finished = (exchange: string, upTo: string | undefined, days: number, now: number) => {
    const over = lastOver(staticData, exchange, now)?.date
    const last = upTo === undefined || (over !== undefined && over < upTo) ? over : upTo
    return last === undefined ? undefined : staticData.tradingDays(exchange, last, days)
  }

  return {
    provider: "sample",

    quotes: (symbols) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const paths: Paths = new Map()
        const days = new Map<string, SessionDay | undefined>()
        const found = new Map<string, Quote>()
        for (const row of rows(symbols)) {
          if (!days.has(row.exchange)) days.set(row.exchange, lastBegun(staticData, row.exchange, now))
          const day = days.get(row.exchange)
          if (day !== undefined) found.set(row.symbol, quote(paths, row, day, now))
        }
        return found
      }),

    history: (symbols, { days, upTo }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const paths: Paths = new Map()
        const dates = new Map<string, ReadonlyArray<string> | undefined>()
        const found = new Map<string, ReadonlyArray<DailyClose>>()
        for (const row of rows(symbols)) {
          if (!dates.has(row.exchange)) dates.set(row.exchange, finished(row.exchange, upTo, days, now))
          const until = dates.get(row.exchange)
          if (until === undefined) {
            const detail = "the calendar of its exchange does not reach so far"
            return Effect.fail(new MarketDataError({ operation: "history", reason: "Refused", detail }))
          }
          const closes = closesOf(paths, profile(row), until.map(weekdayNumber))
          found.set(
            row.symbol,
            until.map((date, index) => ({ date, ...closes[index]! }))
          )
        }
        return Effect.succeed(found)
      })
  }
}

export const layer: Layer.Layer<MarketData, never, StaticData> = Layer.effect(MarketData, Effect.map(StaticData, make))
