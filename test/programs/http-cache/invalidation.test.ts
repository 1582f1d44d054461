import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { cacheWorld, type Fields, sharedEdge } from "../../support/http-cache/cacheWorld.ts"

const fresh = { "cache-control": "max-age=3600" }

const site = (unsafe: { readonly status?: number; readonly headers?: Fields } = {}) =>
  cacheWorld((request) => (request.method === "GET" ? { headers: fresh } : unsafe))

describe("unsafe methods (RFC 9111, 4.4)", () => {
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "LOCK"]) {
    it.effect(`${method} ends the reuse of its URL, in all variants`, () =>
      Effect.gen(function* () {
        const world = yield* site()
        yield* world.ask("/a")
        yield* TestClock.adjust("1 seconds")
        yield* world.ask("/a", {}, { method })
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual((yield* world.ask("/a")).body, "body 3")
        assert.strictEqual((yield* world.ask("/a")).body, "body 3")
      })
    )
  }

  it.effect("and of the Location and Content-Location of the same origin", () =>
    Effect.gen(function* () {
      const world = yield* site({
        status: 201,
        headers: { location: "/b", "content-location": "https://example.com/c" }
      })
      for (const path of ["/a", "/b", "/c", "/d"]) yield* world.ask(path)
      yield* TestClock.adjust("1 seconds")
      yield* world.ask("/a", {}, { method: "POST" })
      yield* TestClock.adjust("1 seconds")
      for (const path of ["/a", "/b", "/c", "/d"]) yield* world.ask(path)
      assert.strictEqual(world.asked.length, 4 + 1 + 3)
    })
  )

  it.effect("not of another origin's, and not after an error", () =>
    Effect.gen(function* () {
      for (const unsafe of [{ headers: { location: "https://example.org/b" } }, { status: 500 }]) {
        const world = yield* site(unsafe)
        yield* world.ask("https://example.org/b")
        yield* world.ask("/a")
        yield* TestClock.adjust("1 seconds")
        yield* world.ask("/a", {}, { method: "POST" })
        yield* world.ask("https://example.org/b")
        if (unsafe.status === 500) yield* world.ask("/a")
        assert.strictEqual(world.asked.length, 3)
      }
    })
  )

  it.effect("an answer that was under way before the write is not kept", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(() => ({ headers: fresh }))
      yield* TestClock.adjust("1 seconds")
      yield* world.ask("/a", {}, { method: "POST" })
      yield* world.store.keep("https://example.com/a", { ...template, requestTime: 500, responseTime: 2000 })
      assert.deepStrictEqual(yield* world.store.variants("https://example.com/a"), [])
    })
  )

  it.effect("a POST that says it answers a GET fills the cache", () =>
    Effect.gen(function* () {
      const world = yield* site({ headers: { ...fresh, "content-location": "/a" } })
      yield* world.ask("/a", {}, { method: "POST" })
      assert.strictEqual((yield* world.ask("/a")).body, "body 1")
    })
  )
})

const template = {
  id: "1",
  url: "https://example.com/a",
  status: 200,
  statusText: "",
  headers: [],
  requestTime: 0,
  responseTime: 0,
  date: 0,
  initialAge: 0,
  lifetime: 60,
  reuse: "stale",
  staleWhileRevalidate: 0,
  staleIfError: undefined,
  vary: [],
  selecting: [],
  tags: [],
  etag: undefined,
  lastModified: undefined,
  language: undefined,
  part: undefined,
  rangeable: true,
  size: 0
} as const

describe("purge", () => {
  const tagged = (edge = sharedEdge()) =>
    cacheWorld(
      (request) => ({ headers: { ...fresh, "cache-tag": request.url.includes("shoes") ? "shoes, sale" : "hats" } }),
      { edge }
    )

  it.effect("by tag, by the beginning of the path, or everything; what comes after is kept", () =>
    Effect.gen(function* () {
      const paths = ["/shoes/1", "/shoes/2?x=1", "/hats/1"]
      for (const [what, gone] of [
        [{ tags: ["sale", "other"] }, 2],
        [{ pathPrefixes: ["/hats/", "/none"] }, 1],
        [{ everything: true }, 3],
        [{ tags: ["none"] }, 0]
      ] as const) {
        const world = yield* tagged()
        for (const path of paths) yield* world.ask(path)
        yield* TestClock.adjust("1 seconds")
        yield* world.store.purge({ ...what, at: yield* Clock.currentTimeMillis })
        yield* TestClock.adjust("1 seconds")
        for (const path of paths) yield* world.ask(path)
        assert.strictEqual(world.asked.length, 3 + gone, JSON.stringify(what))
        for (const path of paths) yield* world.ask(path)
        assert.strictEqual(world.asked.length, 3 + gone)
      }
    })
  )

  it.effect("reaches another isolate of the location within memoryTtl", () =>
    Effect.gen(function* () {
      const edge = sharedEdge()
      const here = yield* tagged(edge)
      const there = yield* tagged(edge)
      yield* here.ask("/shoes/1")
      yield* there.ask("/shoes/1")
      assert.strictEqual(there.asked.length, 0)
      yield* TestClock.adjust("1 seconds")
      yield* here.store.purge({ tags: ["shoes"], at: 1000 })
      yield* TestClock.adjust("60 seconds")
      yield* there.ask("/shoes/1")
      assert.strictEqual(there.asked.length, 1)
    })
  )

  it.effect("an unsafe request, too", () =>
    Effect.gen(function* () {
      const edge = sharedEdge()
      const here = yield* tagged(edge)
      const there = yield* tagged(edge)
      yield* here.ask("/shoes/1")
      yield* there.ask("/shoes/1")
      yield* TestClock.adjust("1 seconds")
      yield* here.ask("/shoes/1", {}, { method: "DELETE" })
      yield* TestClock.adjust("60 seconds")
      yield* there.ask("/shoes/1")
      assert.strictEqual(there.asked.length, 1)
    })
  )
})
