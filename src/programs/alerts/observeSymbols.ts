import * as Effect from "effect/Effect"
import { averageOf, type Observed } from "../../services/alerts/model/AlertEvaluation.ts"
import type { AlertRule } from "../../services/alerts/model/AlertRule.ts"
import type { AlertState } from "../../services/alerts/model/AlertState.ts"
import { dateOf } from "../../services/base/model/UtcDay.ts"
import type { MarketData, MarketDataError } from "../../services/market/MarketData.ts"
import type { Throttle } from "../../services/market/Throttle.ts"
import { askProvider } from "../market/askProvider.ts"

/** One rule and what it remembers. */
export interface Watched {
  readonly rule: AlertRule
  readonly state: AlertState | undefined
}

/** An answer of the provider; what failed is logged, and no answer. */
const asked = <A>(
  operation: MarketDataError["operation"],
  ask: (market: MarketData["Type"]) => Effect.Effect<A, MarketDataError>
) =>
  Effect.catchAll(askProvider(operation, ask), (error) =>
    error.reason === "Throttled"
      ? Effect.as(Effect.logInfo("the provider of prices is left alone", error), undefined)
      : Effect.as(Effect.logWarning("no prices for the alerts", error), undefined)
  )

/**
 * What the rules are to be evaluated on: the last quotes, and averages of daily closes, which hold for a UTC day and
 * are asked for anew when it is over. A rule whose prices nobody gives is left out.
 */
export const observeSymbols = (
  watched: ReadonlyArray<Watched>,
  now: number
): Effect.Effect<(watched: Watched) => Observed | undefined, never, MarketData | Throttle> =>
  Effect.gen(function* () {
    const symbols = [...new Set(watched.map(({ rule }) => rule.symbol))]
    const quotes = symbols.length === 0 ? undefined : yield* asked("quotes", (market) => market.quotes(symbols))
    if (quotes === undefined) return () => undefined
    const day = dateOf(now)
    const due = watched.flatMap(({ rule: { condition, symbol }, state }) =>
      condition.kind === "crosses-average" && state?.average?.day !== day && quotes.has(symbol)
        ? [{ symbol, days: condition.days }]
        : []
    )
    const histories =
      due.length === 0
        ? undefined
        : yield* asked("history", (market) =>
            market.history([...new Set(due.map(({ symbol }) => symbol))], {
              days: Math.max(...due.map(({ days }) => days))
            })
          )

    const averageFor = ({ rule: { condition, symbol }, state }: Watched): AlertState["average"] => {
      if (condition.kind !== "crosses-average" || state?.average?.day === day) return state?.average
      const closes = histories?.get(symbol)?.map(({ close }) => close)
      const value = closes === undefined ? undefined : averageOf(closes, condition.days)
      return value === undefined ? state?.average : { value, day }
    }
    return (one) => {
      const quote = quotes.get(one.rule.symbol)
      const average = averageFor(one)
      return quote === undefined ? undefined : { quote, ...(average === undefined ? {} : { average }) }
    }
  })
