import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { analyzeSentiment } from "../../programs/market/analyzeSentiment.ts"
import { publishDailyReport } from "../../programs/market/publishDailyReport.ts"
import { readQuotes } from "../../programs/market/readQuotes.ts"
import { readReport } from "../../programs/market/readReport.ts"
import { readSignals } from "../../programs/market/readSignals.ts"
import type { ReadMany } from "../../programs/repository/readManyThrough.ts"
import { Background } from "../../services/base/Background.ts"
import type { Headlines } from "../../services/market/Headlines.ts"
import type { MarketData } from "../../services/market/MarketData.ts"
import { MarketSettings } from "../../services/market/MarketSettings.ts"
import type { DailyReport } from "../../services/market/model/DailyReport.ts"
import { combined, Sentiment, type SymbolSentiment } from "../../services/market/Sentiment.ts"
import type { Throttle } from "../../services/market/Throttle.ts"
import type { Repository } from "../../services/repository/Repository.ts"
import { isDate } from "../../services/static-data/model/ZonedTime.ts"
import { StaticData } from "../../services/static-data/StaticData.ts"
import { larder } from "../http/apiLarder.ts"
import { eventStream } from "../http/eventStream.ts"
import * as Handlers from "../http/handlers.ts"
import { isoTime } from "../http/isoTime.ts"
import { problem } from "../http/problem.ts"
import { market } from "./apiMarket.ts"
import { nothing, orProblem, sinceDate, whyNone, withHeadlines, withPrices } from "./marketProblems.ts"
import { quoteJson } from "./quoteJson.ts"
import { quoteStream } from "./quoteStream.ts"
import { symbolList } from "./symbolList.ts"

const analysisJson = ({ at, headlines, ...rest }: SymbolSentiment, stale: boolean) => ({
  ...rest,
  source: "sample",
  at: isoTime(at) ?? "",
  stale,
  headlines: headlines.map((headline) => ({ ...headline, publishedAt: isoTime(headline.publishedAt) ?? "" }))
})

const reportJson = ({ publishedAt, ...rest }: DailyReport) => ({ ...rest, publishedAt: isoTime(publishedAt) ?? "" })

/** Of some symbols what could be had, in the order asked; nothing at all is a refusal. */
const answered = <V, J>(
  what: string,
  symbols: ReadonlyArray<string>,
  { failed, found, stale }: ReadMany<V, object>,
  json: (value: V, stale: boolean) => J
) =>
  found.size === 0
    ? nothing(what, failed)
    : Effect.succeed({
        available: symbols.flatMap((symbol) => {
          const value = found.get(symbol)
          return value === undefined ? [] : [json(value, stale.has(symbol))]
        }),
        unavailable: symbols.filter((symbol) => !found.has(symbol))
      })

export const layer = Handlers.group(larder.add(market), "market", (handlers) =>
  Effect.gen(function* () {
    const data = yield* StaticData
    const settings = yield* MarketSettings
    const sentiment = yield* Sentiment
    const services = yield* Effect.context<Repository | MarketData | Throttle | StaticData | Headlines | Sentiment>()
    const priced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.provideService(withPrices(effect), MarketSettings, settings)

    return handlers
      .handle("quotes", ({ urlParams }) =>
        priced(
          Effect.gen(function* () {
            const symbols = yield* symbolList(data, urlParams.symbols)
            const { available, unavailable } = yield* answered("quote", symbols, yield* readQuotes(symbols), quoteJson)
            return { asOf: isoTime(yield* Clock.currentTimeMillis) ?? "", quotes: available, unavailable }
          })
        )
      )
      .handle("stream", ({ request, urlParams }) =>
        priced(
          Effect.gen(function* () {
            const symbols = yield* symbolList(data, urlParams.symbols)
            const context = Context.add(services, Background, yield* Background)
            const events = quoteStream(Effect.provide(readQuotes(symbols), context), {
              interval: settings.quoteStreamInterval,
              life: settings.quoteStreamLife,
              lastEventId: request.headers.get("Last-Event-ID") ?? undefined
            })
            return yield* eventStream(request, events)
          })
        )
      )
      .handle("sentiment", ({ urlParams }) =>
        Effect.provideService(
          withHeadlines(
            Effect.gen(function* () {
              const symbols = yield* symbolList(data, urlParams.symbols)
              const found = yield* analyzeSentiment(symbols)
              const { available, unavailable } = yield* answered("analysis", symbols, found, analysisJson)
              return { analyses: available, unavailable }
            })
          ),
          MarketSettings,
          settings
        )
      )
      .handle("signals", ({ urlParams: { since, symbol } }) =>
        Effect.gen(function* () {
          const [row] = symbol === undefined ? [] : yield* symbolList(data, symbol, 1)
          const from = yield* sinceDate(since)
          return { since: from, signals: yield* Effect.provide(orProblem(readSignals(from, row)), services) }
        })
      )
      .handle("report", ({ path: { date } }) =>
        Effect.gen(function* () {
          if (!isDate(date)) return yield* problem("bad-parameter", "date: a day as YYYY-MM-DD")
          const found = yield* Effect.provide(orProblem(readReport(date)), services)
          return Option.isSome(found)
            ? reportJson(found.value)
            : yield* problem("no-such-report", whyNone(data, date, yield* Clock.currentTimeMillis))
        })
      )
      .handle("publish", () =>
        Effect.flatMap(
          priced(Effect.provide(orProblem(publishDailyReport), services)),
          Option.match({
            onNone: () => problem("unavailable", "the calendar knows no trading day that is over"),
            onSome: ({ published, report }) => Effect.succeed({ published, report: reportJson(report) })
          })
        )
      )
      .handle("score", ({ payload }) =>
        sentiment.score(payload.headlines).pipe(
          Effect.map((headlines) => ({ ...combined(headlines), headlines })),
          Effect.mapError(() => problem("unavailable", "nobody can read them just now", { retryAfter: 5 }))
        )
      )
  })
)
