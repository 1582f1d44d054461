import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SingleFlight } from "../../../services/tiers/SingleFlight.ts"

/**
 * Starts the work so that it outlives its starter, calls `settled` when it has ended, and gives an effect that waits
 * for its outcome: the one thing in which the layers of `SingleFlight` differ.
 */
export type Launch = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  settled: (flight: Effect.Effect<unknown, unknown>) => void
) => Effect.Effect<Effect.Effect<A, E>, never, R>

/** The registry of runs under way. A run that outlasts a follower's patience is evicted: nobody after waits for it. */
export const makeFlights = (launch: Launch): SingleFlight["Type"] => {
  const flights = new Map<string, Effect.Effect<unknown, unknown>>()

  const lead = <A, E, R>(key: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(
      launch(effect, (ended) => {
        if (flights.get(key) === ended) flights.delete(key)
      }),
      (flight) => {
        flights.set(key, flight)
        return flight
      }
    )

  const join = <A, E, R>(
    key: string,
    patience: Duration.Duration,
    effect: Effect.Effect<A, E, R>,
    joins: number
  ): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const flight = flights.get(key) as Effect.Effect<A, E> | undefined
      if (flight === undefined) return lead(key, effect)
      if (joins === 0) return effect
      return Effect.flatMap(Effect.timeoutOption(flight, patience), (outcome) => {
        if (Option.isSome(outcome)) return Effect.succeed(outcome.value)
        if (flights.get(key) === flight) flights.delete(key)
        return join(key, patience, effect, joins - 1)
      })
    })

  return {
    run: (key, patience, effect) => join(key, patience, effect, 2),
    forget: (key) => void flights.delete(key),
    inFlight: () => flights.size
  }
}
