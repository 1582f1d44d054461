import { describe, expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import type { Kv, KvError } from "../../../src/services/kv/Kv.ts"
import { KvInvocation } from "../../../src/services/kv/KvInvocation.ts"
import type { KvKind } from "../../../src/services/ledger/model/KvKind.ts"

type KvService = Context.Tag.Service<Kv>

const value = (n: number): Uint8Array => new TextEncoder().encode(String(n))

const failure = <A>(effect: Effect.Effect<A, KvError>) =>
  Effect.match(effect, {
    onFailure: (error) => `${error.reason}: ${(error.cause as Error).message}`,
    onSuccess: () => ""
  })

describe("KvSimulated limits", () => {
  it.effect.prop(
    "of puts to one key one a second is taken; what is refused is not stored, and other keys do not mind",
    [fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 30 })],
    ([waits]) =>
      Effect.gen(function* () {
        const world = KvSimulated.makeWorld({ latency: "none" })
        let now = 0
        let acceptedAt = Number.NEGATIVE_INFINITY
        let stored = -1
        for (const [i, wait] of waits.entries()) {
          yield* TestClock.adjust(`${wait} millis`)
          now += wait
          const refused = yield* failure(world.at(i % 3).put("k", value(i)))
          if (now - acceptedAt < 1000) expect(refused).toBe("RateLimited: KV PUT failed: 429 Too Many Requests")
          else {
            expect(refused).toBe("")
            acceptedAt = now
            stored = i
          }
          expect(world.current("k", now)?.value).toEqual(value(stored))
          expect(yield* failure(world.at(0).put(`other ${i}`, value(i)))).toBe("")
        }
      })
  )

  it.effect("a delete between two puts does not lift the limit", () =>
    Effect.gen(function* () {
      const kv = KvSimulated.makeWorld({ latency: "none" }).at(0)
      yield* kv.put("k", value(1))
      yield* kv.delete("k")
      expect(yield* failure(kv.put("k", value(2)))).toContain("RateLimited")
    })
  )

  const kinds: ReadonlyArray<readonly [KvKind, string, (kv: KvService, i: number) => Effect.Effect<unknown, KvError>]> =
    [
      ["reads", "get", (kv, i) => kv.get(`k${i}`)],
      ["writes", "put", (kv, i) => kv.put(`k${i}`, value(i))],
      ["deletes", "delete", (kv, i) => kv.delete(`k${i}`)],
      ["lists", "list", (kv) => kv.list()]
    ]

  it.effect.each(kinds)(
    "the day's %s are spent together by all locations and come back at 00:00 UTC",
    ([kind, verb, ask]) =>
      Effect.gen(function* () {
        const world = KvSimulated.makeWorld({ latency: "none", daily: { [kind]: 3 } })
        yield* TestClock.setTime(Date.UTC(2026, 0, 1, 23, 59))
        for (const i of [0, 1, 2]) yield* ask(world.at(i), i)
        expect(yield* failure(ask(world.at(3), 3))).toBe(`DailyLimit: KV ${verb}() limit exceeded for the day.`)
        for (const [other, , askOther] of kinds) if (other !== kind) yield* askOther(world.at(0), 9)
        yield* TestClock.setTime(Date.UTC(2026, 0, 2))
        yield* ask(world.at(3), 3)
      })
  )

  it.effect("a bulk read spends a day's read per key, all or nothing, and one operation of its invocation", () =>
    Effect.gen(function* () {
      const kv = KvSimulated.makeWorld({ latency: "none", daily: { reads: 5 } }).at(0)
      const invocation = { remaining: 3 }
      const asking = Effect.gen(function* () {
        yield* kv.getBulk(["a", "b", "c"])
        expect(yield* failure(kv.getBulk(["a", "b", "c"]))).toContain("DailyLimit")
        yield* kv.getBulk(["a", "b"])
        expect(yield* failure(kv.list())).toBe("InvocationLimit: Too many API requests by single Worker invocation.")
      })
      yield* Effect.provideService(asking, KvInvocation, invocation)
      expect(yield* failure(kv.list())).toBe("")
    })
  )
})
