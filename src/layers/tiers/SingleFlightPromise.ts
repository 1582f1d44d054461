import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import { Background } from "../../services/base/Background.ts"
import { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import { type Launch, makeFlights } from "./internal/flights.ts"

/**
 * For a stateless Worker. What requests share is a native promise of a plain value: each awaits it in its own I/O
 * context, with a timer of its own, and the leader's event is kept alive until it has settled.
 */
const launch: Launch = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  settled: (flight: Effect.Effect<unknown, unknown>) => void
) =>
  Effect.flatMap(Effect.runtime<R>(), (runtime) =>
    Effect.map(Background, (background) => {
      const promise = Runtime.runPromiseExit(runtime)(effect).finally(() => settled(flight))
      const flight = Effect.flatten(Effect.promise(() => promise))
      background.promise(promise)
      return flight
    })
  )

export const make = (): SingleFlight["Type"] => makeFlights(launch)

export const layer: Layer.Layer<SingleFlight> = Layer.sync(SingleFlight, make)
