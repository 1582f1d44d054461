import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ask, type Breaker, type BreakerLimits, closed, failed, succeeded } from "../../services/base/model/Breaker.ts"

/** A tier that was not asked (breaker open) or did not answer within its deadline. */
export class Skipped extends Data.TaggedError("Skipped")<{ readonly reason: "BreakerOpen" | "Deadline" }> {}

/** Abandons an effect at the deadline; an infinite one costs no timer. */
export const within =
  <E2>(deadline: Duration.Duration, onTimeout: () => E2) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Duration.isFinite(deadline) ? Effect.timeoutFail(effect, { duration: deadline, onTimeout }) : effect

/** What a failure says of the part that was called: that it is failing, that it is well, or nothing. */
export type Verdict = "failing" | "well" | "nothing"

/**
 * A circuit breaker for an isolate: while it is open, effects are skipped.
 *
 * @param verdict of a failure; a success is always one of health
 */
export const makeBreaker = <E>(limits: BreakerLimits) => {
  let breaker = closed
  return {
    call: <A, R>(effect: Effect.Effect<A, E, R>, verdict: (error: E) => Verdict): Effect.Effect<A, E | Skipped, R> =>
      Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<A, E | Skipped, R> => {
        const [passes, next] = ask(breaker, limits, now)
        breaker = next
        if (!passes) return Effect.fail(new Skipped({ reason: "BreakerOpen" }))
        return effect.pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              breaker = succeeded()
            })
          ),
          Effect.tapError((error) =>
            Effect.map(Clock.currentTimeMillis, (at) => {
              const said = verdict(error)
              if (said !== "nothing") breaker = said === "failing" ? failed(breaker, limits, at) : succeeded()
            })
          )
        )
      }),
    state: (): Breaker["state"] => breaker.state
  }
}

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
  const breaker = makeBreaker<E | Skipped>(limits)
  const timed = within(deadline, () => new Skipped({ reason: "Deadline" }))
  return {
    call: (effect) =>
      breaker.call(timed(effect), (error) => (error instanceof Skipped || counts(error as E) ? "failing" : "well")),
    state: breaker.state
  }
}
