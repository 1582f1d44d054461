import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SingleFlightPromise from "../../../src/layers/tiers/SingleFlightPromise.ts"
import { Background } from "../../../src/services/base/Background.ts"

it.live("the leader's event is kept alive until the work has ended, however soon its client leaves", () =>
  Effect.gen(function* () {
    const flight = SingleFlightPromise.make()
    const kept: Array<Promise<unknown>> = []
    const background = { run: () => Effect.void, promise: (promise: Promise<unknown>) => void kept.push(promise) }
    const [begun, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    let ended = false
    const work = Effect.gen(function* () {
      yield* Deferred.succeed(begun, undefined)
      yield* Deferred.await(gate)
      ended = true
    })
    const leader = yield* Effect.fork(
      Effect.provideService(flight.run("a", Duration.hours(1), work), Background, background)
    )
    yield* Deferred.await(begun)
    yield* Fiber.interrupt(leader)
    assert.lengthOf(kept, 1)
    assert.isFalse(ended)
    yield* Deferred.succeed(gate, undefined)
    yield* Effect.promise(() => kept[0]!)
    assert.isTrue(ended)
    assert.strictEqual(flight.inFlight(), 0)
  })
)
