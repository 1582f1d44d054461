import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Headlines, type HeadlinesError } from "../../services/market/Headlines.ts"
import {
  combined,
  Sentiment,
  type SentimentError,
  type SymbolSentiment,
  sentiments
} from "../../services/market/Sentiment.ts"
import type { Repository } from "../../services/repository/Repository.ts"
import { type ReadMany, readManyThrough } from "../repository/readManyThrough.ts"

/** What the press says of these symbols, in upper case: read from its headlines, all in one batch, and kept by symbol. */
export const analyzeSentiment = (
  symbols: ReadonlyArray<string>
): Effect.Effect<
  ReadMany<SymbolSentiment, HeadlinesError | SentimentError>,
  never,
  Repository | Headlines | Sentiment
> => readManyThrough(sentiments, symbols, readPress)

/** The same, made anew for all of them, and kept by nobody. */
export const readPress = (
  symbols: ReadonlyArray<string>
): Effect.Effect<ReadonlyMap<string, SymbolSentiment>, HeadlinesError | SentimentError, Headlines | Sentiment> =>
  Effect.gen(function* () {
    const press = yield* (yield* Headlines).latest(symbols)
    const written = [...press].flatMap(([symbol, headlines]) => headlines.map((headline) => ({ symbol, ...headline })))
    const scored = yield* (yield* Sentiment).score(written.map(({ title }) => title))
    const at = yield* Clock.currentTimeMillis
    return new Map(
      [...press.keys()].map((symbol): readonly [string, SymbolSentiment] => {
        const own = written.flatMap((headline, index) =>
          headline.symbol === symbol ? [{ ...headline, ...scored[index]! }] : []
        )
        const headlines = own.map(({ label, publishedAt, score, title }) => ({ title, publishedAt, score, label }))
        return [symbol, { symbol, at, ...combined(own), headlines }]
      })
    )
  })
