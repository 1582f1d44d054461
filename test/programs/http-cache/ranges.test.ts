import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cacheWorld, type Fields, type Reply } from "../../support/http-cache/cacheWorld.ts"

const whole = "0123456789"
const fresh = { "cache-control": "max-age=3600" }

/** An origin that serves one range of ten bytes. */
const ranged =
  (headers: Fields) =>
  (request: Request): Reply => {
    const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "")
    if (match === null) return { headers, body: whole }
    const first = Number(match[1])
    const last = match[2] === "" ? 9 : Number(match[2])
    return {
      status: 206,
      headers: { ...headers, "content-range": `bytes ${first}-${last}/10` },
      body: whole.slice(first, last + 1)
    }
  }

describe("ranges of a stored response (RFC 9110, 14)", () => {
  const rows: ReadonlyArray<readonly [string, number, string, string | null]> = [
    ["bytes=0-1", 206, "01", "bytes 0-1/10"],
    ["bytes=8-", 206, "89", "bytes 8-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-99", 206, whole, "bytes 0-9/10"],
    ["BYTES=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=3-2", 200, whole, null],
    ["bytes=a-2", 200, whole, null],
    ["bytes=0-1,4-5", 200, whole, null],
    ["lines=0-1", 200, whole, null]
  ]
  for (const [range, status, body, contentRange] of rows) {
    it.effect(`${range}: ${status}`, () =>
      Effect.gen(function* () {
        const world = yield* cacheWorld(() => ({ headers: { ...fresh, etag: '"1"' }, body: whole }))
        yield* world.ask("/a")
        const answer = yield* world.ask("/a", { range })
        assert.deepStrictEqual(
          [answer.status, answer.body, answer.headers.get("content-range")],
          [status, body, contentRange]
        )
        assert.strictEqual(world.asked.length, 1)
      })
    )
  }

  it.effect("If-Range names what is stored, by a strong validator, or the whole is the answer", () =>
    Effect.gen(function* () {
      const modified = "Wed, 01 Jan 2020 00:00:00 GMT"
      const date = "Wed, 01 Jan 2020 00:00:01 GMT"
      const world = yield* cacheWorld((request) => ({
        headers: {
          "cache-control": "max-age=999999999",
          "last-modified": modified,
          date: request.url.endsWith("recent") ? modified : date,
          etag: request.url.endsWith("weak") ? 'W/"1"' : '"1"'
        },
        body: whole
      }))
      const rows: ReadonlyArray<readonly [string, string, number]> = [
        ["/a", '"1"', 206],
        ["/a", '"2"', 200],
        ["/a", modified, 206],
        ["/a", date, 200],
        ["/a", 'W/"1"', 200],
        ["/weak", 'W/"1"', 200],
        ["/recent", modified, 200]
      ]
      for (const [path, condition, status] of rows) {
        yield* world.ask(path)
        const answer = yield* world.ask(path, { range: "bytes=0-1", "if-range": condition })
        assert.strictEqual(answer.status, status, `${path} ${condition}`)
      }
      assert.strictEqual(world.asked.length, 3)
    })
  )

  it.effect("a body that the runtime encodes on its way out has no ranges here", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(() => ({ headers: { ...fresh, "content-encoding": "gzip" }, body: whole }))
      yield* world.ask("/a")
      assert.strictEqual((yield* world.ask("/a", { range: "bytes=0-1" })).status, 200)
    })
  )
})

describe("stored parts (RFC 9111, 3.3 and 3.4)", () => {
  it.effect("a part answers what lies within it, and nothing else", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(ranged({ ...fresh, etag: '"1"' }))
      yield* world.ask("/a", { range: "bytes=2-6" })
      const within = yield* world.ask("/a", { range: "bytes=3-5" })
      assert.deepStrictEqual([within.status, within.body], [206, "345"])
      assert.strictEqual(world.asked.length, 1)
      const beyond = yield* world.ask("/a", { range: "bytes=5-8" })
      assert.deepStrictEqual([beyond.status, beyond.body], [206, "5678"])
      assert.strictEqual(world.asked.length, 2)
      assert.strictEqual((yield* world.ask("/b")).body, whole)
    })
  )

  it.effect("parts under one strong validator are put together, up to the whole", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(ranged({ ...fresh, etag: '"1"' }))
      yield* world.ask("/a", { range: "bytes=0-4" })
      yield* world.ask("/a", { range: "bytes=3-7" })
      assert.strictEqual((yield* world.ask("/a", { range: "bytes=1-7" })).body, "1234567")
      assert.strictEqual(world.asked.length, 2)
      const all = yield* world.ask("/a")
      assert.deepStrictEqual([all.status, all.body, all.headers.get("content-range")], [200, whole, null])
      assert.strictEqual(world.asked[2]!.headers.get("range"), "bytes=8-")
      assert.strictEqual(world.asked[2]!.headers.get("if-range"), '"1"')
      assert.strictEqual((yield* world.ask("/a")).body, whole)
      assert.strictEqual(world.asked.length, 3)
    })
  )

  it.effect("parts of different states, or of a weak validator, are not put together", () =>
    Effect.gen(function* () {
      for (const tags of [
        ['"1"', '"2"'],
        ['W/"1"', 'W/"1"'],
        [undefined, undefined]
      ] as const) {
        const world = yield* cacheWorld((request, count) => {
          const etag = tags[count - 1]
          return ranged({ ...fresh, ...(etag === undefined ? {} : { etag }) })(request)
        })
        yield* world.ask("/a", { range: "bytes=0-4" })
        yield* world.ask("/a", { range: "bytes=5-9" })
        yield* world.ask("/a", { range: "bytes=3-7" })
        assert.strictEqual(world.asked.length, 3, String(tags))
      }
    })
  )

  it.effect("the rest of a state that has changed is the new whole", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld((request, count) =>
        count === 1 ? ranged({ ...fresh, etag: '"1"' })(request) : { headers: { ...fresh, etag: '"2"' }, body: "new" }
      )
      yield* world.ask("/a", { range: "bytes=0-4" })
      const { body, status } = yield* world.ask("/a")
      assert.deepStrictEqual([status, body], [200, "new"])
    })
  )

  it.effect("a part that contradicts itself is passed on and not kept", () =>
    Effect.gen(function* () {
      const world = yield* cacheWorld(() => ({
        status: 206,
        headers: { ...fresh, "content-range": "bytes 4-9/10" },
        body: "45678"
      }))
      assert.strictEqual((yield* world.ask("/a", { range: "bytes=4-9" })).body, "45678")
      yield* world.ask("/a", { range: "bytes=4-9" })
      assert.strictEqual(world.asked.length, 2)
    })
  )
})
