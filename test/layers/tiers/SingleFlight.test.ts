import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SingleFlightDeferred from "../../../src/layers/tiers/SingleFlightDeferred.ts"
import * as SingleFlightPromise from "../../../src/layers/tiers/SingleFlightPromise.ts"
import { SingleFlight } from "../../../src/services/tiers/SingleFlight.ts"

const patience = Duration.millis(200)

for (const [name, layer] of [
  ["SingleFlightDeferred", SingleFlightDeferred.layer],
  ["SingleFlightPromise", SingleFlightPromise.layer]
] as const) {
  // On the live clock: a native promise knows no other.
  describe(`SingleFlight: ${name}`, () => {
    it.live("all who ask while it runs share one run, and its failure", () =>
      Effect.gen(function* () {
        const flight = yield* SingleFlight
        let runs = 0
        const work = Effect.delay(
          Effect.suspend(() => Effect.fail(++runs)),
          "20 millis"
        )
        const outcomes = yield* Effect.all(
          Array.from({ length: 10 }, () => Effect.flip(flight.run("a", patience, work))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(outcomes, Array(10).fill(1))
        assert.strictEqual(flight.inFlight(), 0)
        assert.strictEqual(yield* Effect.flip(flight.run("a", patience, work)), 2)
      }).pipe(Effect.provide(layer))
    )

    it.live("keys do not share", () =>
      Effect.gen(function* () {
        const flight = yield* SingleFlight
        const both = yield* Effect.all(
          ["a", "b"].map((key) => flight.run(key, patience, Effect.delay(Effect.succeed(key), "10 millis"))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(both, ["a", "b"])
      }).pipe(Effect.provide(layer))
    )

    it.live("a run that is forgotten answers those who wait for it, and nobody after", () =>
      Effect.gen(function* () {
        const flight = yield* SingleFlight
        const run = (value: string) => flight.run("a", patience, Effect.delay(Effect.succeed(value), "20 millis"))
        const before = yield* Effect.fork(Effect.all([run("old"), run("old")], { concurrency: "unbounded" }))
        yield* Effect.sleep("5 millis")
        flight.forget("a")
        const after = yield* Effect.all([run("new"), run("newer")], { concurrency: "unbounded" })
        assert.deepStrictEqual(
          [yield* Fiber.join(before), after],
          [
            ["old", "old"],
            ["new", "new"]
          ]
        )
        assert.strictEqual(flight.inFlight(), 0)
      }).pipe(Effect.provide(layer))
    )

    it.live("a run that never ends is evicted by the first whose patience ends, and the others join his", () =>
      Effect.gen(function* () {
        const flight = yield* SingleFlight
        const stuck = yield* Effect.fork(flight.run("a", patience, Effect.never))
        yield* Effect.sleep("10 millis")
        let runs = 0
        const work = Effect.delay(
          Effect.sync(() => ++runs),
          "20 millis"
        )
        const outcomes = yield* Effect.all(
          Array.from({ length: 10 }, () => flight.run("a", patience, work)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(outcomes, Array(10).fill(1))
        yield* Fiber.interrupt(stuck)
      }).pipe(Effect.provide(layer))
    )

    it.live("the work outlives an interrupted leader", () =>
      Effect.gen(function* () {
        const flight = yield* SingleFlight
        const leader = yield* Effect.fork(flight.run("a", patience, Effect.delay(Effect.succeed(1), "50 millis")))
        yield* Effect.sleep("10 millis")
        const follower = yield* Effect.fork(flight.run("a", patience, Effect.die("must not run")))
        yield* Effect.sleep("10 millis")
        yield* Fiber.interrupt(leader)
        assert.strictEqual(yield* Fiber.join(follower), 1)
      }).pipe(Effect.provide(layer))
    )
  })
}
