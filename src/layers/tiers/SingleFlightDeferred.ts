import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import { type Launch, makeFlights } from "./internal/flights.ts"

/**
 * For a Durable Object, a replay or a test, where all fibers share one I/O context: followers park on a Deferred.
 * In a stateless Worker this hangs; `SingleFlightPromise` is the layer there.
 */
const launch: Launch = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  settled: (flight: Effect.Effect<unknown, unknown>) => void
) =>
  Effect.flatMap(Deferred.make<A, E>(), (deferred) => {
    const flight = Deferred.await(deferred)
    const run = Effect.onExit(effect, (exit) => {
      settled(flight)
      return Deferred.done(deferred, exit)
    })
    return Effect.as(Effect.forkDaemon(run), flight)
  })

export const make = (): SingleFlight["Type"] => makeFlights(launch)

export const layer: Layer.Layer<SingleFlight> = Layer.sync(SingleFlight, make)
