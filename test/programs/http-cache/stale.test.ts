import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { cacheWorld, type Reply } from "../../support/http-cache/cacheWorld.ts"

/** A good response first, then what it becomes. */
const then =
  (cacheControl: string, later: Reply) =>
  (_: Request, count: number): Reply =>
    count === 1 ? { headers: { "cache-control": cacheControl } } : later

const aged = (cacheControl: string, later: Reply, seconds: number) =>
  Effect.gen(function* () {
    const world = yield* cacheWorld(then(cacheControl, later))
    yield* world.ask("/a")
    yield* TestClock.adjust(seconds * 1000)
    return world
  })

describe("stale-while-revalidate (RFC 5861, 3)", () => {
  it.effect("serves the stale response at once and the new one from then on", () =>
    Effect.gen(function* () {
      const world = yield* aged("max-age=1, stale-while-revalidate=4", { headers: { "cache-control": "max-age=9" } }, 4)
      const stale = yield* world.ask("/a")
      assert.strictEqual(stale.body, "body 1")
      assert.include(stale.cacheStatus, "hit; ttl=-3")
      assert.strictEqual((yield* world.ask("/a")).body, "body 2")
      assert.strictEqual(world.asked.length, 2)
    })
  )

  it.effect("not once its time has passed, nor against must-revalidate", () =>
    Effect.gen(function* () {
      const late = yield* aged("max-age=1, stale-while-revalidate=4", {}, 5)
      assert.strictEqual((yield* late.ask("/a")).body, "body 2")
      const strict = yield* aged("max-age=1, stale-while-revalidate=4, must-revalidate", {}, 2)
      assert.strictEqual((yield* strict.ask("/a")).body, "body 2")
    })
  )
})

describe("an origin that fails", () => {
  it.effect("is stood in for by stale-if-error, unreachable or with a 503", () =>
    Effect.gen(function* () {
      for (const failure of ["unreachable", { status: 503 }] as const) {
        const world = yield* aged("max-age=1, stale-if-error=60", failure, 30)
        const { body, cacheStatus, status } = yield* world.ask("/a")
        assert.deepStrictEqual([status, body], [200, "body 1"])
        assert.include(cacheStatus, "fwd=stale")
        const late = yield* aged("max-age=1, stale-if-error=60", failure, 62)
        const outcome = yield* Effect.either(late.ask("/a"))
        assert.isTrue(outcome._tag === "Left" || outcome.right.status === 503)
      }
    })
  )

  it.effect("without stale-if-error only if it cannot be reached: a 503 is an answer", () =>
    Effect.gen(function* () {
      const unreachable = yield* aged("max-age=1", "unreachable", 30)
      assert.strictEqual((yield* unreachable.ask("/a")).body, "body 1")
      const unavailable = yield* aged("max-age=1", { status: 503 }, 30)
      assert.strictEqual((yield* unavailable.ask("/a")).status, 503)
    })
  )

  for (const directive of ["must-revalidate", "proxy-revalidate", "s-maxage=1", "no-cache"]) {
    it.effect(`is never stood in for against ${directive}: 504`, () =>
      Effect.gen(function* () {
        const world = yield* cacheWorld((_, count) =>
          count === 1
            ? { headers: { "cache-control": `max-age=1, stale-if-error=60, ${directive}`, etag: '"1"' } }
            : "unreachable"
        )
        yield* world.ask("/a")
        yield* TestClock.adjust("30 seconds")
        const { body, status } = yield* world.ask("/a")
        assert.deepStrictEqual([status, body], [504, ""])
      })
    )
  }

  it.effect("with nothing stored: its failure is the client's", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(() => "unreachable")
      const error = yield* Effect.flip(world.ask("/a"))
      assert.strictEqual(error.cause, "connection lost")
    })
  )
})

describe("only-if-cached (RFC 9111, 5.2.1.7)", () => {
  it.effect("answers 504 and asks nobody", () =>
    Effect.gen(function* () {
      const world = yield* aged("max-age=1", {}, 0)
      assert.strictEqual((yield* world.ask("/a", { "cache-control": "only-if-cached" })).status, 200)
      assert.strictEqual((yield* world.ask("/b", { "cache-control": "only-if-cached" })).status, 504)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* world.ask("/a", { "cache-control": "only-if-cached" })).status, 504)
      assert.strictEqual(world.asked.length, 1)
    })
  )
})
