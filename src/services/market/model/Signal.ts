import * as Schema from "effect/Schema"
import * as TypedCollection from "../../repository/model/TypedCollection.ts"
import type { Scored } from "../Sentiment.ts"
import type { Analysis } from "./Analysis.ts"
import * as declared from "./MarketCollections.ts"

/**
 * - `average-cross`: the mean of 20 closes has crossed that of 50 since the session before.
 * - `momentum`: momentum (see `Analysis`) has passed 1.5, or -1.5, since the session before.
 */
export const SignalRule = Schema.Literal("average-cross", "momentum")

/** What a rule expects of a symbol. */
export const Signal = Schema.Struct({
  /** The session after whose close it was made, `YYYY-MM-DD`. */
  date: Schema.NonEmptyString,
  symbol: Schema.NonEmptyString,
  rule: SignalRule,
  direction: Schema.Literal("up", "down"),
  /** From 0 to 1: see {@link signalsOf}. */
  strength: Schema.Number.pipe(Schema.between(0, 1)),
  /** After so many sessions it is judged. */
  horizon: Schema.Int.pipe(Schema.positive()),
  /** The close it was made at. */
  close: Schema.Number.pipe(Schema.positive())
})

export interface Signal extends Schema.Schema.Type<typeof Signal> {}

export type SignalRule = Schema.Schema.Type<typeof SignalRule>

/** Sessions after which a rule's signals are judged. */
export const horizons: { readonly [R in SignalRule]: number } = { "average-cross": 20, momentum: 5 }

const momentumThreshold = 1.5

/** What is weaker, because the press contradicts it, is no signal. */
const weakest = 0.25

/**
 * The signals of one symbol after a session. A crossing begins with strength 1/2, momentum m with min(1, |m| / 3);
 * sentiment adds half of its score times its confidence where it agrees, and takes as much where it does not.
 */
export const signalsOf = (
  date: string,
  now: Analysis,
  before: Analysis,
  sentiment: Pick<Scored, "score" | "confidence"> | undefined
): ReadonlyArray<Signal> => {
  const press = sentiment === undefined ? 0 : sentiment.score * sentiment.confidence
  const signal = (rule: SignalRule, sign: number, strength: number): ReadonlyArray<Signal> => {
    const weighed = Math.min(1, Math.max(0, strength + (sign * press) / 2))
    const direction = sign > 0 ? "up" : "down"
    const { close, symbol } = now
    return weighed < weakest
      ? []
      : [{ date, symbol, rule, direction, strength: weighed, horizon: horizons[rule], close }]
  }
  const above = Math.sign(now.average20 - now.average50)
  const crossed = above !== 0 && above !== Math.sign(before.average20 - before.average50)
  const { momentum } = now
  const passed = Math.abs(momentum) >= momentumThreshold && Math.sign(momentum) * before.momentum < momentumThreshold
  return [
    ...(crossed ? signal("average-cross", above, 0.5) : []),
    ...(passed ? signal("momentum", Math.sign(momentum), Math.min(1, Math.abs(momentum) / 3)) : [])
  ]
}

/** The month of a date, by which signals and their outcomes are kept: one entry a month, not one a signal. */
export const monthOf = (date: string): string => date.slice(0, 7)

/** The signals of a month, by `YYYY-MM`. */
export const signals = TypedCollection.make({
  ...declared.signals,
  key: Schema.NonEmptyString,
  value: Schema.Struct({ signals: Schema.Array(Signal) })
})
