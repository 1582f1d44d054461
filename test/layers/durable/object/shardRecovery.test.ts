import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as ShardRecovery from "../../../../src/layers/durable/object/shardRecovery.ts"
import { virtually } from "../../../support/virtually.ts"

/** What KV says to a recovering object: each try takes `millis`, and fails while `well` is false. */
const recovering = (millis: number) => {
  const kv = { well: false, tries: 0 }
  const recovery = ShardRecovery.make(
    () =>
      Effect.suspend(() => {
        kv.tries += 1
        return Effect.delay(
          Effect.suspend(() => (kv.well ? Effect.void : Effect.fail("KV is out of reach"))),
          millis
        )
      }),
    () => false
  )
  return { kv, recovery }
}

describe("a recovering object", () => {
  it.effect.each([0, 20, 300])("keeps its caller while it tries anew, when KV answers after %i ms", (millis) =>
    virtually(
      Effect.gen(function* () {
        const { kv, recovery } = recovering(millis)
        yield* Effect.fork(Effect.ignore(recovery.attempt))
        yield* TestClock.adjust(millis)
        kv.well = true
        const caller = yield* Effect.fork(Effect.map(recovery.prompt, recovery.isKnown))
        yield* TestClock.adjust(500 + millis)
        expect(yield* Fiber.join(caller)).toBe(true)
      })
    )
  )

  it.effect("tries twice a second, however many ask, and keeps none of them for more than a second", () =>
    virtually(
      Effect.gen(function* () {
        const { kv, recovery } = recovering(0)
        const callers = yield* Effect.forEach(Array.from({ length: 300 }), (_, at) =>
          Effect.fork(Effect.delay(recovery.prompt, at * 30))
        )
        yield* TestClock.adjust(9990)
        for (const caller of callers) expect((yield* Fiber.poll(caller))._tag).toBe("Some")
        expect(kv.tries).toBeGreaterThan(15)
        expect(kv.tries).toBeLessThanOrEqual(22)
        expect(recovery.isKnown()).toBe(false)
      })
    )
  )

  it.effect("lets a caller go when KV does not answer", () =>
    virtually(
      Effect.gen(function* () {
        const { recovery } = recovering(60_000)
        const caller = yield* Effect.fork(recovery.prompt)
        yield* TestClock.adjust(1000)
        expect((yield* Fiber.poll(caller))._tag).toBe("Some")
      })
    )
  )

  it.effect("that another way has brought back is not asked to try any more", () =>
    virtually(
      Effect.gen(function* () {
        const { kv, recovery } = recovering(0)
        yield* Effect.ignore(recovery.attempt)
        expect(yield* recovery.by(() => Effect.succeed(7))).toBe(7)
        expect([recovery.isKnown(), recovery.isSettled()]).toStrictEqual([true, true])
        yield* recovery.attempt
        yield* recovery.prompt
        expect(kv.tries).toBe(1)
      })
    )
  )
})
