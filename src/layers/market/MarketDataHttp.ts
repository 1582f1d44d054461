import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import { retryAfterSeconds } from "../../services/base/model/RetryAfter.ts"
import { dateOf } from "../../services/base/model/UtcDay.ts"
import { RetryPolicy } from "../../services/kv/RetryPolicy.ts"
import { type DailyClose, MarketData, MarketDataError } from "../../services/market/MarketData.ts"
import type { Quote } from "../../services/market/model/Quote.ts"
import { lastOver } from "../../services/market/model/SessionsBehind.ts"
import { shiftDate } from "../../services/static-data/model/ZonedTime.ts"
import { StaticData } from "../../services/static-data/StaticData.ts"
import { cappedText } from "../base/cappedText.ts"
import * as RetryPolicyHttp from "../kv/RetryPolicyHttp.ts"
import { chartOf, closesOf, quoteOf } from "./internal/yahooChart.ts"

export interface Endpoint {
  /** What `/v8/finance/chart/{symbol}` is appended to. */
  readonly baseUrl: string
  /** How long one answer may take, its body included, and from when on no further quote is asked for. */
  readonly deadline: Duration.Duration
}

/** Answers of one symbol: a year of daily bars has some 30 KB. */
const maxBytes = 1_048_576

/** Where no calendar says it: the exchange whose days count. */
const home = "XNYS"

type Operation = MarketDataError["operation"]
type Chart = Either.Either.Right<ReturnType<typeof chartOf>>

/**
 * A provider that answers like Yahoo's chart service: one JSON chart for each symbol. Retried as the `RetryPolicy` of
 * the caller says, fail-fast without one. What cannot be read of one symbol leaves that symbol out; once the provider
 * asks to be left alone, the rest is not asked.
 */
export const make = (endpoint: Endpoint, staticData: StaticData["Type"]): MarketData["Type"] => {
  const base = endpoint.baseUrl.replace(/\/+$/, "")

  const failed = (
    operation: Operation,
    reason: MarketDataError["reason"],
    more: { detail?: string; retryAfter?: number; cause?: unknown } = {}
  ) => new MarketDataError({ operation, reason, ...more })

  const fetched = (operation: Operation, url: string) =>
    Effect.tryPromise({
      try: async (signal) => {
        const response = await fetch(url, { signal, redirect: "manual", headers: { Accept: "application/json" } })
        return { status: response.status, headers: response.headers, text: await cappedText(response, maxBytes) }
      },
      catch: (cause) => failed(operation, "Unavailable", { cause })
    })

  const chart = (operation: Operation, symbol: string, query: string): Effect.Effect<Chart, MarketDataError> => {
    const spelled = symbol.replaceAll(".", "-")
    const malformed = (detail: string) => failed(operation, "Malformed", { detail: `${symbol}: ${detail}` })
    return fetched(operation, `${base}/v8/finance/chart/${encodeURIComponent(spelled)}?${query}`).pipe(
      Effect.timeoutFail({ duration: endpoint.deadline, onTimeout: () => failed(operation, "TimedOut") }),
      Effect.zip(Clock.currentTimeMillis),
      Effect.flatMap(([{ headers, status, text }, now]) => {
        const retryAfter = retryAfterSeconds(headers.get("Retry-After"), now)
        const more = { detail: `status ${status}`, ...(retryAfter === undefined ? {} : { retryAfter }) }
        if (status === 429) return Effect.fail(failed(operation, "RateLimited", more))
        if (status >= 500) return Effect.fail(failed(operation, "Unavailable", more))
        if (status !== 200 && status !== 404) return Effect.fail(failed(operation, "Refused", more))
        if (text === undefined) return Effect.fail(malformed(`over ${maxBytes} bytes`))
        const read = chartOf(text, spelled)
        if (Either.isRight(read)) return Effect.succeed(read.right)
        return Effect.fail(status === 404 ? failed(operation, "Refused", more) : malformed(read.left))
      })
    )
  }

  const patiently = <A>(effect: Effect.Effect<A, MarketDataError>) =>
    Effect.flatMap(Effect.serviceOption(RetryPolicy), (policy) =>
      Effect.retry(effect, {
        schedule: (policy._tag === "Some" ? policy.value : RetryPolicyHttp.make).schedule,
        while: ({ reason }) => reason === "Unavailable" || reason === "TimedOut"
      })
    )

  /** One chart each; what is left out is in the log. Fails only where every chart failed. */
  const charts = <A>(
    operation: Operation,
    symbols: ReadonlyArray<string>,
    query: string,
    read: (symbol: string, chart: NonNullable<Chart>) => Either.Either<A, string>
  ): Effect.Effect<ReadonlyMap<string, A>, MarketDataError> =>
    Effect.gen(function* () {
      const distinct = [...new Set(symbols)]
      const found = new Map<string, A>()
      const errors: Array<MarketDataError> = []
      const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(endpoint.deadline)
      const givenUp = Effect.map(
        Clock.currentTimeMillis,
        (now) => (operation === "quotes" && now >= until) || errors.some(({ reason }) => reason === "RateLimited")
      )
      const one = (symbol: string) => Effect.unlessEffect(asking(symbol), givenUp)
      const asking = (symbol: string) =>
        patiently(chart(operation, symbol, query)).pipe(
          Effect.flatMap((it) =>
            it === undefined
              ? Effect.void
              : Either.match(read(symbol, it), {
                  onLeft: (flaw) => Effect.fail(failed(operation, "Malformed", { detail: `${symbol}: ${flaw}` })),
                  onRight: (value) => Effect.sync(() => void found.set(symbol, value))
                })
          ),
          Effect.catchAll((error) => Effect.sync(() => void errors.push(error)))
        )
      yield* Effect.forEach(distinct, one, { concurrency: openConnections, discard: true })
      const first = errors.find(({ reason }) => reason === "RateLimited") ?? errors[0]
      if (first === undefined) return found
      if (found.size === 0) return yield* Effect.fail(first)
      yield* Effect.logWarning(`${distinct.length - found.size} of ${distinct.length} symbols are left out`, first)
      return found
    })

  return {
    provider: new URL(base).host,

    quotes: (symbols) => charts<Quote>("quotes", symbols, "interval=1d&range=1d", quoteOf),

    history: (symbols, { days, upTo }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const over = lastOver(staticData, home, now)?.date ?? dateOf(now)
        const last = upTo === undefined || over < upTo ? over : upTo
        const from = shiftDate(last, -Math.ceil(days * 1.5) - 10)
        const query = `interval=1d&period1=${Date.parse(from) / 1000}&period2=${Date.parse(shiftDate(last, 2)) / 1000}`
        return charts<ReadonlyArray<DailyClose>>("history", symbols, query, (symbol, it) => {
          const exchange = staticData.symbol(symbol)?.exchange ?? home
          const closes = closesOf(it, (at) => staticData.dateAt(exchange, at)).filter(({ date }) => date <= last)
          return Either.right(closes.slice(-days))
        })
      })
  }
}

export const layer = (endpoint: Endpoint): Layer.Layer<MarketData, never, StaticData> =>
  Layer.effect(
    MarketData,
    Effect.map(StaticData, (staticData) => make(endpoint, staticData))
  )
