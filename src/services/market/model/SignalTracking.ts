import * as Schema from "effect/Schema"
import * as TypedCollection from "../../repository/model/TypedCollection.ts"
import * as declared from "./MarketCollections.ts"
import { Signal } from "./Signal.ts"

/** What became of a signal. */
export const Outcome = Schema.Struct({
  date: Signal.fields.date,
  symbol: Signal.fields.symbol,
  rule: Signal.fields.rule,
  direction: Signal.fields.direction,
  /** The session at whose close it was judged: `horizon` sessions after the signal's. */
  due: Schema.NonEmptyString,
  close: Schema.Number.pipe(Schema.positive()),
  /** Since the signal's close, as a fraction. */
  return: Schema.Number,
  /** Whether the price went where the signal said; a price that stood still did not. */
  right: Schema.Boolean
})

export interface Outcome extends Schema.Schema.Type<typeof Outcome> {}

/** What tells signals apart. */
export const signalId = ({ date, rule, symbol }: Pick<Signal, "date" | "rule" | "symbol">): string =>
  `${date}/${symbol}/${rule}`

/** The session on which a signal is due, of the sessions given (oldest first); undefined where it is none of them. */
export const dueOf = ({ date, horizon }: Signal, sessions: ReadonlyArray<string>): string | undefined => {
  const made = sessions.indexOf(date)
  return made === -1 ? undefined : sessions[made + horizon]
}

export const outcomeOf = (signal: Signal, due: string, close: number): Outcome => {
  const { date, direction, rule, symbol } = signal
  const change = close / signal.close - 1
  return {
    date,
    symbol,
    rule,
    direction,
    due,
    close,
    return: change,
    right: direction === "up" ? change > 0 : change < 0
  }
}

/** The outcomes of a month's signals, by the signals' `YYYY-MM`. */
export const signalTracking = TypedCollection.make({
  ...declared.signalTracking,
  key: Schema.NonEmptyString,
  value: Schema.Struct({ outcomes: Schema.Array(Outcome) })
})
