import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { Throttle } from "../../../src/services/market/Throttle.ts"

/** What every Throttle promises. Runs under `TestClock`. */
export const throttleContract = (name: string, layer: () => Layer.Layer<Throttle>): void => {
  const law = (title: string, body: (throttle: Throttle["Type"]) => Effect.Effect<void>) =>
    it.effect(title, () => Effect.provide(Effect.flatMap(Throttle, body), layer()))

  const until = (throttle: Throttle["Type"], provider: string) =>
    Effect.map(
      throttle.blocked(provider),
      Option.match({ onNone: () => undefined, onSome: (blocked) => blocked.until })
    )

  describe(`Throttle: ${name}`, () => {
    law("nobody is blocked who never failed", (throttle) =>
      Effect.gen(function* () {
        expect(yield* throttle.blocked("a")).toStrictEqual(Option.none())
        expect(throttle.known(0)).toStrictEqual([])
      })
    )

    law("a provider that asks to be left alone is, as long as it asks, and others are not", (throttle) =>
      Effect.gen(function* () {
        yield* throttle.failed("a", "rate-limited", { retryAfter: 90 })
        expect(yield* until(throttle, "a")).toBe(90_000)
        expect(yield* until(throttle, "b")).toBeUndefined()
        yield* TestClock.adjust("89999 millis")
        expect(yield* until(throttle, "a")).toBe(90_000)
        yield* TestClock.adjust("1 millis")
        expect(yield* until(throttle, "a")).toBeUndefined()
      })
    )

    law("one hiccup blocks nobody; each further failure twice as long as the one before", (throttle) =>
      Effect.gen(function* () {
        const pauses: Array<number> = []
        for (let failure = 0; failure < 8; failure++) {
          const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
          const failures = yield* throttle.failed("a", "unavailable")
          expect(failures.count).toBe(failure + 1)
          pauses.push(failures.until - now)
          yield* TestClock.setTime(failures.until)
        }
        expect(pauses).toStrictEqual([0, 30, 60, 120, 240, 480, 900, 900].map((seconds) => seconds * 1000))
      })
    )

    law("each class of failure counts for itself, and the longest pause holds", (throttle) =>
      Effect.gen(function* () {
        yield* throttle.failed("a", "timed-out")
        expect((yield* throttle.failed("a", "malformed")).count).toBe(1)
        yield* throttle.failed("a", "rate-limited")
        yield* throttle.failed("a", "refused")
        const blocked = Option.getOrThrow(yield* throttle.blocked("a"))
        expect(blocked).toMatchObject({ failureClass: "refused", until: 300_000, count: 1 })
        expect(
          throttle
            .known(0)
            .map(({ failureClass }) => failureClass)
            .sort()
        ).toStrictEqual(["rate-limited", "refused"])
      })
    )

    law("a success forgets all failures", (throttle) =>
      Effect.gen(function* () {
        yield* throttle.failed("a", "refused")
        yield* throttle.succeeded("a")
        expect(yield* throttle.blocked("a")).toStrictEqual(Option.none())
        expect((yield* throttle.failed("a", "refused")).count).toBe(1)
      })
    )

    law("failures long ago do not count", (throttle) =>
      Effect.gen(function* () {
        yield* throttle.failed("a", "refused")
        yield* TestClock.adjust("65 minutes")
        expect((yield* throttle.failed("a", "refused")).count).toBe(1)
      })
    )

    law("remembers a bounded number of providers", (throttle) =>
      Effect.gen(function* () {
        for (let provider = 0; provider < 1100; provider++) yield* throttle.failed(`p${provider}`, "refused")
        expect(throttle.known(0).length).toBe(1000)
      })
    )
  })
}
