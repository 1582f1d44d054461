import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

/**
 * Joins concurrent runs of one piece of work. A stateless Worker and a Durable Object need different layers: in the
 * former no fiber may park on another request's fiber.
 */
export class SingleFlight extends Context.Tag("larder/SingleFlight")<
  SingleFlight,
  {
    /**
     * Runs `effect`, or waits for the run already under way for `key`. A follower waits `patience` at most, then
     * becomes the leader itself. The work outlives an interrupted leader. Followers share the leader's failure.
     */
    readonly run: <A, E, R>(
      key: string,
      patience: Duration.Duration,
      effect: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E, R>
    /** Nobody from now on waits for the run under way for `key`; who does, goes on. */
    readonly forget: (key: string) => void
    /** Runs under way that can be joined. */
    readonly inFlight: () => number
  }
>() {}
