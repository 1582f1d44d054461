import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { MarketData, MarketDataError } from "../../services/market/MarketData.ts"
import { type FailureClass, Throttle } from "../../services/market/Throttle.ts"

const classes: { readonly [R in Exclude<MarketDataError["reason"], "Throttled">]: FailureClass } = {
  RateLimited: "rate-limited",
  Unavailable: "unavailable",
  TimedOut: "timed-out",
  Refused: "refused",
  Malformed: "malformed"
}

/** Asks the provider of prices, unless it failed too often just now: then it is left alone, and that is the failure. */
export const askProvider = <A>(
  operation: MarketDataError["operation"],
  ask: (market: MarketData["Type"]) => Effect.Effect<A, MarketDataError>
): Effect.Effect<A, MarketDataError, MarketData | Throttle> =>
  Effect.gen(function* () {
    const market = yield* MarketData
    const throttle = yield* Throttle
    const { provider } = market
    const blocked = yield* throttle.blocked(provider)
    if (Option.isSome(blocked)) {
      const { failureClass, until } = blocked.value
      const retryAfter = Math.max(1, Math.ceil((until - (yield* Clock.currentTimeMillis)) / 1000))
      return yield* new MarketDataError({ operation, reason: "Throttled", retryAfter, detail: failureClass })
    }
    return yield* ask(market).pipe(
      Effect.tap(() => throttle.succeeded(provider)),
      Effect.tapError(({ reason, retryAfter }) =>
        reason === "Throttled"
          ? Effect.void
          : throttle.failed(provider, classes[reason], retryAfter === undefined ? {} : { retryAfter })
      )
    )
  })
