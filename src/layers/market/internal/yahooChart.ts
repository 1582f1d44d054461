import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { DailyClose } from "../../../services/market/MarketData.ts"
import type { Quote } from "../../../services/market/model/Quote.ts"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

const amount = Schema.Number.pipe(Schema.finite())
const price = amount.pipe(Schema.positive())
const seconds = Schema.Number.pipe(Schema.between(0, 1e11))
const column = optional(Schema.Array(Schema.NullOr(amount)))

const Result = Schema.Struct({
  meta: Schema.Struct({
    symbol: Schema.String,
    currency: optional(Schema.String.pipe(Schema.length(3))),
    regularMarketPrice: optional(price),
    regularMarketTime: optional(seconds),
    previousClose: optional(price),
    chartPreviousClose: optional(price),
    regularMarketDayHigh: optional(price),
    regularMarketDayLow: optional(price),
    regularMarketVolume: optional(amount.pipe(Schema.nonNegative()))
  }),
  timestamp: optional(Schema.Array(seconds)),
  indicators: Schema.Struct({
    quote: Schema.Array(Schema.Struct({ open: column, high: column, low: column, close: column, volume: column }))
  })
})

/** What `/v8/finance/chart/{symbol}` answers; what we do not use, we do not look at. */
const Chart = Schema.Struct({
  chart: Schema.Struct({
    result: optional(Schema.Array(Result)),
    error: optional(Schema.Struct({ code: Schema.String }))
  })
})

type Result = Schema.Schema.Type<typeof Result>

const decodeChart = Schema.decodeUnknownEither(Schema.parseJson(Chart))

/** Why a chart is of no use, in one line. */
export type Flaw = string

/** The chart of a symbol as the provider spells it; undefined where it knows no such symbol. */
export const chartOf = (text: string, spelled: string): Either.Either<Result | undefined, Flaw> =>
  Either.flatMap(Either.mapLeft(decodeChart(text), firstLine), ({ chart }) => {
    if (chart.error?.code === "Not Found") return Either.right(undefined)
    const result = chart.result?.[0]
    if (result === undefined) return Either.left(`no result${chart.error ? `, but an error: ${chart.error.code}` : ""}`)
    return result.meta.symbol.toUpperCase() === spelled
      ? Either.right(result)
      : Either.left(`asked for ${spelled}, it answers for ${result.meta.symbol}`)
  })

const firstLine = (error: ParseResult.ParseError): Flaw => {
  const issue = ParseResult.ArrayFormatter.formatErrorSync(error)[0]
  return `${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? "not as it should be"}`.slice(0, 300)
}

/** Price, time and the close before there must be; the rest of the day is taken from its bar, or left at the price. */
export const quoteOf = (symbol: string, { indicators, meta }: Result): Either.Either<Quote, Flaw> => {
  const last = meta.regularMarketPrice
  const at = meta.regularMarketTime
  const previousClose = meta.previousClose ?? meta.chartPreviousClose
  if (last == null) return Either.left("meta.regularMarketPrice is missing")
  if (at == null) return Either.left("meta.regularMarketTime is missing")
  if (previousClose == null) return Either.left("meta.previousClose is missing")
  const bar = indicators.quote[0]
  const opened = positive(bar?.open?.at(-1)) ?? last
  return Either.right({
    symbol,
    price: last,
    currency: meta.currency ?? "USD",
    at: Math.round(at * 1000),
    previousClose,
    open: opened,
    high: Math.max(last, opened, meta.regularMarketDayHigh ?? positive(bar?.high?.at(-1)) ?? last),
    low: Math.min(last, opened, meta.regularMarketDayLow ?? positive(bar?.low?.at(-1)) ?? last),
    volume: meta.regularMarketVolume ?? Math.max(bar?.volume?.at(-1) ?? 0, 0)
  })
}

/**
 * The bars that have a close, one a day, oldest first.
 *
 * @param dateAt the day at the exchange of a moment in milliseconds since the epoch
 */
export const closesOf = (
  { indicators, timestamp }: Result,
  dateAt: (at: number) => string | undefined
): ReadonlyArray<DailyClose> => {
  const bar = indicators.quote[0]
  const byDate = new Map<string, DailyClose>()
  for (const [index, at] of (timestamp ?? []).entries()) {
    const close = positive(bar?.close?.[index])
    const date = dateAt(at * 1000)
    if (close === undefined || date === undefined) continue
    byDate.set(date, { date, close, volume: Math.max(bar?.volume?.[index] ?? 0, 0) })
  }
  return [...byDate.values()].sort((a, b) => (a.date < b.date ? -1 : 1))
}

const positive = (value: number | null | undefined): number | undefined =>
  value != null && value > 0 ? value : undefined
