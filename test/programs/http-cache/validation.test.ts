import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { cacheWorld, type Fields, type Reply } from "../../support/http-cache/cacheWorld.ts"

const fresh = { "cache-control": "max-age=10" }

/** An origin that knows one state of the resource and its tag. */
const validating =
  (headers: Fields, again: Fields = {}) =>
  (request: Request, count: number): Reply =>
    request.headers.get("if-none-match") === headers.etag
      ? { status: 304, body: null, headers: again }
      : { headers: { ...headers, "x-count": String(count) }, body: `body ${count}` }

describe("validation (RFC 9111, 4.3)", () => {
  it.effect("a 304 makes the stored response fresh again and updates its fields, but not those of the body", () =>
    Effect.gen(function* () {
      const first = { ...fresh, etag: '"1"', "x-a": "1", "x-b": "1", "content-type": "text/plain" }
      const world = yield* cacheWorld(
        validating(first, { ...fresh, "x-a": "2", "content-length": "99", "content-encoding": "br", etag: '"2"' })
      )
      yield* world.ask("/a")
      yield* TestClock.adjust("10 seconds")
      for (const asked of [2, 2]) {
        const { body, headers } = yield* world.ask("/a")
        assert.strictEqual(body, "body 1")
        assert.deepStrictEqual([headers.get("x-a"), headers.get("x-b"), headers.get("etag")], ["2", "1", '"1"'])
        assert.strictEqual(headers.get("content-encoding"), null)
        assert.strictEqual(world.asked.length, asked)
      }
    })
  )

  it.effect("a 304 that forbids to keep the response ends its reuse", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(validating({ ...fresh, etag: '"1"' }, { "cache-control": "private, max-age=10" }))
      yield* world.ask("/a")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* world.ask("/a")).body, "body 1")
      assert.strictEqual((yield* world.ask("/a")).body, "body 3")
    })
  )

  it.effect("the client's own condition is judged by the validated response", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(validating({ ...fresh, etag: '"1"' }))
      yield* world.ask("/a")
      yield* TestClock.adjust("10 seconds")
      const { body, headers, status } = yield* world.ask("/a", { "if-none-match": 'W/"0", W/"1"' })
      assert.deepStrictEqual([status, body, headers.get("etag")], [304, "", '"1"'])
      assert.strictEqual(world.asked[1]!.headers.get("if-none-match"), '"1"')
    })
  )

  it.effect("a condition of a client is answered from what is stored and fresh", () =>
    Effect.gen(function* () {
      const lastModified = "Wed, 01 Jan 2020 00:00:00 GMT"
      const world = yield* cacheWorld(() => ({ headers: { ...fresh, etag: '"1"', "last-modified": lastModified } }))
      yield* world.ask("/a")
      const rows: ReadonlyArray<readonly [Fields, number]> = [
        [{ "if-none-match": '"1"' }, 304],
        [{ "if-none-match": '"0", "1"' }, 304],
        [{ "if-none-match": "*" }, 304],
        [{ "if-none-match": '"2"' }, 200],
        [{ "if-none-match": '"2"', "if-modified-since": lastModified }, 200],
        [{ "if-modified-since": lastModified }, 304],
        [{ "if-modified-since": "Wed, 01 Jan 2025 00:00:00 GMT" }, 304],
        [{ "if-modified-since": "Wednesday, 01-Jan-20 00:00:00 GMT" }, 304],
        [{ "if-modified-since": "Wed Jan  1 00:00:00 2020" }, 304],
        [{ "if-modified-since": "Tue, 31 Dec 2019 23:59:59 GMT" }, 200],
        [{ "if-modified-since": "yesterday" }, 200]
      ]
      for (const [headers, expected] of rows) {
        const { status } = yield* world.ask("/a", headers)
        assert.strictEqual(status, expected, JSON.stringify(headers))
      }
      assert.strictEqual(world.asked.length, 1)
    })
  )

  it.effect("a condition that only the origin can judge goes to the origin as it is", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(() => ({ headers: { ...fresh, etag: '"1"' } }))
      yield* world.ask("/a")
      yield* world.ask("/a", { "if-match": '"2"' })
      assert.strictEqual(world.asked[1]!.headers.get("if-match"), '"2"')
    })
  )

  it.effect("a new response takes the place of the old one, of its own variant only", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld((request, count) => ({
        headers: { ...fresh, etag: `"${count}"`, vary: "foo" },
        body: `${request.headers.get("foo")} ${count}`
      }))
      yield* world.ask("/a", { foo: "x" })
      yield* TestClock.adjust("9 seconds")
      yield* world.ask("/a", { foo: "y" })
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* world.ask("/a", { foo: "x" })).body, "x 3")
      assert.strictEqual((yield* world.ask("/a", { foo: "x" })).body, "x 3")
      assert.strictEqual((yield* world.ask("/a", { foo: "y" })).body, "y 2")
    })
  )
})

describe("HEAD (RFC 9111, 4.3.5)", () => {
  it.effect("is answered from a stored GET, without a body", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(() => ({ headers: fresh, body: "0123456789" }))
      yield* world.ask("/a")
      const { body, headers, status } = yield* world.ask("/a", {}, { method: "HEAD" })
      assert.deepStrictEqual([status, body, headers.get("content-length")], [200, "", "10"])
      assert.strictEqual(world.asked.length, 1)
    })
  )

  it.effect("freshens a stored GET that is evidently the same, and ends one that is not", () =>
    Effect.gen(function* () {
      let etag = '"1"'
      const world = yield* cacheWorld((_, count) => ({
        headers: { ...fresh, etag, "x-a": String(count) },
        body: "same"
      }))
      yield* world.ask("/a")
      yield* TestClock.adjust("10 seconds")
      yield* world.ask("/a", {}, { method: "HEAD" })
      assert.strictEqual((yield* world.ask("/a")).headers.get("x-a"), "2")
      assert.strictEqual(world.asked.length, 2)
      etag = '"2"'
      yield* TestClock.adjust("10 seconds")
      yield* world.ask("/a", {}, { method: "HEAD" })
      yield* world.ask("/a")
      assert.strictEqual(world.asked.length, 4)
    })
  )
})
