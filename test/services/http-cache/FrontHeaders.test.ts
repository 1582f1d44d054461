import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cacheWorld, type Fields } from "../../support/http-cache/cacheWorld.ts"

const policy = { front: "cloudflare" } as const

describe("what a cache of Cloudflare's in front is told", () => {
  const rows: ReadonlyArray<readonly [Fields, string]> = [
    [{ "cache-control": "s-maxage=60, stale-while-revalidate=30" }, "max-age=60, must-revalidate"],
    [
      { "cache-control": "max-age=60, stale-while-revalidate=30, stale-if-error=9" },
      "max-age=60, stale-while-revalidate=30, stale-if-error=9"
    ],
    [{ "cache-control": "no-cache", etag: '"1"' }, "no-cache"],
    [{ "cdn-cache-control": "max-age=5" }, "max-age=5"],
    [{ "cache-control": "private, max-age=60" }, "no-store"],
    [{}, "no-store"]
  ]
  for (const [headers, expected] of rows) {
    it.effect(`${JSON.stringify(headers)}: ${expected}`, () =>
      Effect.gen(function* () {
        const world = yield* cacheWorld(() => ({ headers }), { policy })
        for (const _ of [1, 2]) {
          const answer = yield* world.ask("/a")
          assert.strictEqual(answer.headers.get("cdn-cache-control"), expected)
          assert.strictEqual(answer.headers.get("cache-control"), headers["cache-control"] ?? null)
        }
      })
    )
  }

  it.effect("nothing, unless there is one", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(() => ({ headers: { "cache-control": "max-age=60" } }))
      assert.isNull((yield* world.ask("/a")).headers.get("cdn-cache-control"))
    })
  )
})
