import * as Schema from "effect/Schema"
import * as TypedCollection from "../../repository/model/TypedCollection.ts"
import * as declared from "./MarketCollections.ts"

/** Closes that an analysis goes back over: a quarter. */
export const momentumDays = 60

/** What its past closes say of one symbol. */
export const Analysis = Schema.Struct({
  symbol: Schema.NonEmptyString,
  close: Schema.Number,
  /** Means of the last 20 and 50 closes. */
  average20: Schema.Number,
  average50: Schema.Number,
  /**
   * Return of the last 60 sessions over its own deviation: ln(close / close 60 sessions before) / (σ √60), σ of daily
   * logarithmic returns. As in Moskowitz, Ooi and Pedersen, Time Series Momentum, 2012.
   */
  momentum: Schema.Number,
  /** σ √252: a year's deviation, as a fraction. */
  volatility: Schema.Number
})

export interface Analysis extends Schema.Schema.Type<typeof Analysis> {}

/** The analyses of a trading day, by its date. */
export const analyses = TypedCollection.make({
  ...declared.analyses,
  key: Schema.NonEmptyString,
  value: Schema.Struct({ date: Schema.NonEmptyString, analyses: Schema.Array(Analysis) })
})

/** @param closes in dollars, oldest first, one a session; fewer than 61 say nothing */
export const analyse = (symbol: string, closes: ReadonlyArray<number>): Analysis | undefined => {
  const recent = closes.slice(-momentumDays - 1)
  const first = recent[0]
  const close = recent.at(-1)
  if (first === undefined || close === undefined || recent.length <= momentumDays) return undefined
  const returns = recent.slice(1).map((value, index) => Math.log(value / recent[index]!))
  const deviation = deviationOf(returns)
  return {
    symbol,
    close,
    average20: mean(recent.slice(-20)),
    average50: mean(recent.slice(-50)),
    momentum: deviation === 0 ? 0 : Math.log(close / first) / (deviation * Math.sqrt(momentumDays)),
    volatility: deviation * Math.sqrt(252)
  }
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

const deviationOf = (values: ReadonlyArray<number>): number => {
  const centre = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1))
}
