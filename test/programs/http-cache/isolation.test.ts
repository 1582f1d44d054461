import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { cacheWorld } from "../../support/http-cache/cacheWorld.ts"
import { runs } from "../../support/runs.ts"

/** What an origin may say of a response, and whether a shared cache may give it to somebody else. */
const sayings = [
  { says: "max-age=60", shared: "anonymous" },
  { says: "public, max-age=60", shared: "all" },
  { says: "s-maxage=60", shared: "all" },
  { says: "private, max-age=60", shared: "none" },
  { says: "no-store", shared: "none" },
  { says: "max-age=60, no-store", shared: "none" },
  { says: "no-cache", shared: "none" },
  { says: "", shared: "none" }
] as const

interface Step {
  readonly user: string | undefined
  readonly path: number
  readonly method: string
  readonly wait: number
}

const step: fc.Arbitrary<Step> = fc.record({
  user: fc.constantFrom(undefined, "a", "b"),
  path: fc.nat(2),
  method: fc.constantFrom("GET", "GET", "GET", "GET", "HEAD", "POST"),
  wait: fc.constantFrom(0, 1, 30, 61)
})

describe("what a shared cache may not do, under any order of requests", () => {
  it("gives nobody what is another's, nothing older than its lifetime, and nothing from before a write", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(sayings.length - 1), { minLength: 3, maxLength: 3 }),
        fc.boolean(),
        fc.array(step, { maxLength: 25 }),
        (said, cookies, steps) =>
          Effect.gen(function* () {
            yield* TestClock.setTime(1_000_000)
            const saying = (path: string) => sayings[said[Number(path.slice(-1))]!]!
            const world = yield* cacheWorld((request) => {
              const { pathname } = new URL(request.url)
              const { says } = saying(pathname)
              return {
                headers: {
                  // What has changed says so: else a HEAD would renew what is stored.
                  etag: `"${now}"`,
                  ...(says === "" ? {} : { "cache-control": says }),
                  ...(cookies && pathname === "/p2" ? { "set-cookie": "a=b" } : {})
                },
                body: JSON.stringify({ by: request.headers.get("authorization"), at: now })
              }
            })
            let now = 0
            const written = new Map<string, number>()
            for (const { method, path, user, wait } of steps) {
              yield* TestClock.adjust(wait * 1000)
              now += wait
              const url = `/p${path}`
              const headers = user === undefined ? {} : { authorization: user }
              const before = world.asked.length
              const { body, headers: fields } = yield* world.ask(url, headers, { method })
              if (method === "POST") written.set(url, now)
              if (method !== "GET" || world.asked.length > before) continue
              const { at, by } = JSON.parse(body) as { readonly at: number; readonly by: string | null }
              const { shared } = saying(url)
              assert.notStrictEqual(shared, "none")
              if (shared === "anonymous") assert.isNull(by)
              assert.isBelow(now - at, 60)
              assert.isTrue(at > (written.get(url) ?? -1) || wait === 0)
              assert.isNull(fields.get("set-cookie"))
              assert.isFalse(cookies && path === 2)
            }
          }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)
      ),
      { numRuns: runs(100) }
    ))
})
