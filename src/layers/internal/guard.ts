import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ask, type Breaker, type BreakerLimits, closed, failed, succeeded } from "../../services/Breaker.ts"

/** A tier that was not asked (breaker open) or did not answer within its deadline. */
export class Skipped extends Data.TaggedError("Skipped")<{ readonly reason: "BreakerOpen" | "Deadline" }> {}

/**
 * One tier's deadline and circuit breaker, for an isolate. A call that passes the deadline is abandoned, not waited
 * for; only failures that `counts` says speak of the tier's health move the breaker.
 */
export const makeGuard = <E>(
  deadline: Duration.Duration,
  limits: BreakerLimits,
  counts: (error: E) => boolean
): {
  readonly call: <A, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Skipped, R>
  readonly state: () => Breaker["state"]
} => {
  let breaker = closed
  return {
    call: <A, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<A, E | Skipped, R> => {
        const [passes, next] = ask(breaker, limits, now)
        breaker = next
        if (!passes) return Effect.fail(new Skipped({ reason: "BreakerOpen" }))
        return Effect.timeoutFail(effect, {
          duration: deadline,
          onTimeout: () => new Skipped({ reason: "Deadline" })
        }).pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              breaker = succeeded()
            })
          ),
          Effect.tapError((error) =>
            Effect.map(Clock.currentTimeMillis, (at) => {
              const ill = error instanceof Skipped || counts(error as E)
              breaker = ill ? failed(breaker, limits, at) : succeeded()
            })
          )
        )
      }),
    state: () => breaker.state
  }
}
