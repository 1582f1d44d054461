import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { failedOnce, Throttle } from "../../services/market/Throttle.ts"
import { makeKnownFailures } from "./internal/knownFailures.ts"

/** Each isolate learns for itself, and forgets when it ends. Costs no operation of any store. */
export const make = (): Throttle["Type"] => {
  const known = makeKnownFailures()
  return {
    scope: "isolate",
    blocked: (provider) =>
      Effect.map(Clock.currentTimeMillis, (now) => Option.fromNullable(known.blocked(provider, now))),
    failed: (provider, failureClass, { retryAfter } = {}) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const failures = failedOnce(known.get(provider, failureClass), failureClass, now, retryAfter)
        known.set(provider, failureClass, failures)
        return failures
      }),
    succeeded: (provider) => Effect.sync(() => void known.forget(provider)),
    known: known.all
  }
}

export const layer: Layer.Layer<Throttle> = Layer.sync(Throttle, make)
