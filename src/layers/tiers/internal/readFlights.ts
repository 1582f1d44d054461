import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Address } from "../../../services/tiers/ReadPath.ts"
import type { SingleFlight } from "../../../services/tiers/SingleFlight.ts"

const kinds = ["get", "load", "reload"] as const

/** The reads of one key that are under way, joined by who misses meanwhile. */
export const makeReadFlights = (flight: SingleFlight["Type"], patience: Duration.Duration) => ({
  joined: <A, E, R>(
    kind: (typeof kinds)[number],
    { id }: Address,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> => flight.run(`${kind}:${id}`, patience, effect),
  /** After a write: what began before it is no answer to who asks from now on. */
  part: ({ id }: Address): void => {
    for (const kind of kinds) flight.forget(`${kind}:${id}`)
  }
})
