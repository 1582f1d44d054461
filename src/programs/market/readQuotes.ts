import * as Effect from "effect/Effect"
import { MarketData, type MarketDataError } from "../../services/market/MarketData.ts"
import { type Quote, quotes } from "../../services/market/model/Quote.ts"
import type { Throttle } from "../../services/market/Throttle.ts"
import type { Repository } from "../../services/repository/Repository.ts"
import { type ReadMany, readManyThrough } from "../repository/readManyThrough.ts"
import { askProvider } from "./askProvider.ts"

/**
 * The last quotes of these symbols, in upper case: cached ones, and of the provider what is missing, in one call. While
 * it fails, or is left alone because it did, the last known ones are served within the collection's grace.
 */
export const readQuotes = (
  symbols: ReadonlyArray<string>
): Effect.Effect<ReadMany<Quote, MarketDataError>, never, Repository | MarketData | Throttle> =>
  Effect.gen(function* () {
    const { provider: source } = yield* MarketData
    const { failed, found, stale } = yield* readManyThrough(quotes, symbols, (missing) =>
      Effect.map(
        askProvider("quotes", (market) => market.quotes(missing)),
        (given) => new Map([...given].map(([symbol, quote]) => [symbol, { ...quote, source }]))
      )
    )
    // What another provider gave is no quote of this one: after a change of the setting it waits for its own.
    const own = new Map([...found].filter(([, quote]) => (quote.source ?? source) === source))
    return { failed, found: own, stale }
  })
