import * as Schema from "effect/Schema"
import { optional } from "../../base/model/ExactOptional.ts"
import * as TypedCollection from "../../repository/model/TypedCollection.ts"
import * as declared from "./MarketCollections.ts"

const price = Schema.Number.pipe(Schema.finite(), Schema.positive())

/** The last trade of a symbol and the session it belongs to; before the day's open, that is the session before. */
export const Quote = Schema.Struct({
  symbol: Schema.NonEmptyString,
  /** Of the last trade, in `currency`. */
  price,
  /** ISO 4217. */
  currency: Schema.String.pipe(Schema.length(3)),
  /** When it traded, in milliseconds since the epoch: never later than the session's close. */
  at: Schema.Int,
  /** The close of the session before. */
  previousClose: price,
  open: price,
  high: price,
  low: price,
  /** Shares traded in the session so far. */
  volume: Schema.Number.pipe(Schema.finite(), Schema.nonNegative()),
  /** The provider that gave it; left out where it was kept before that was noted. */
  source: optional(Schema.String)
}).annotations({ identifier: "Quote" })

export interface Quote extends Schema.Schema.Type<typeof Quote> {}

/** The change since the close before, as a fraction: 0.01 is one percent up. */
export const changeOf = ({ previousClose, price }: Quote): number => price / previousClose - 1

/**
 * The last quotes by symbol, in upper case. What is older than 5 minutes is loaded anew, a minute longer it is served
 * while that happens, and for a day where nobody can load it.
 */
export const quotes = TypedCollection.make({
  ...declared.quotes,
  key: Schema.NonEmptyString,
  value: Quote
})
