import { SELF } from "cloudflare:test"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import * as Client from "../../src/entry/client.ts"
import { Problem } from "../../src/entry/http/problem.ts"
import { utf8Bytes } from "../../src/services/kv/Kv.ts"
import { renewedObject } from "../support/durable/renewedObject.ts"
import { open } from "../support/http/httpHarness.ts"
import { runs } from "../support/runs.ts"

renewedObject()

/** Runs a program with a client of whatever answers `fetch`. */
const clientOf = <A, E>(
  answer: (request: Request) => Promise<Response>,
  use: (client: Client.Client) => Effect.Effect<A, E>,
  apiKey = "test"
): Promise<A> =>
  Client.make({ baseUrl: "https://larder.test", apiKey: Redacted.make(apiKey) }).pipe(
    Effect.flatMap(use),
    Effect.provide(FetchHttpClient.layer),
    Effect.provide(
      Layer.succeed(FetchHttpClient.Fetch, ((input, init) =>
        answer(new Request(input as string, init))) as typeof fetch)
    ),
    Effect.runPromise
  )

const withClient = <A, E>(use: (client: Client.Client) => Effect.Effect<A, E>, client = open(), apiKey = "test") =>
  clientOf(client.answer, use, apiKey)

const bytes = (text: string) => new TextEncoder().encode(text)

describe("the typed client", () => {
  it("writes, reads, revalidates and deletes an entry", () =>
    withClient((client) =>
      Effect.gen(function* () {
        const path = { collection: "default", key: "a/b ü?#" }
        const headers = { "content-type": "text/plain" }
        expect(
          yield* client.entries.put({ path, headers, urlParams: { ttl: 60, tags: ["x"] }, payload: bytes("1") })
        ).toBe("created")
        expect(yield* client.entries.put({ path, headers, urlParams: {}, payload: bytes("2") })).toBe("replaced")
        const [value, response] = yield* client.entries.get({ path, headers: {}, withResponse: true })
        expect(value).toStrictEqual(bytes("2"))
        expect(response.headers["content-type"]).toBe("text/plain")
        const noneMatch = { "if-none-match": response.headers.etag! }
        expect(yield* client.entries.get({ path, headers: noneMatch })).toBe("not-modified")
        yield* client.entries.head({ path, headers: {} })
        expect(yield* client.entries.delete({ path, headers: {} })).toBe("deleted")
        const absent = yield* Effect.flip(client.entries.get({ path, headers: {} }))
        expect(absent).toBeInstanceOf(Problem)
        expect(absent).toMatchObject({ _tag: "Problem", status: 404, type: "/problems/no-such-entry" })
      })
    ))

  it("reaches every key that KV would take", async () => {
    const key = fc
      .string({ unit: "binary", minLength: 1, maxLength: 150 })
      .filter((key) => key !== "." && key !== ".." && utf8Bytes(key) <= 512)
    await withClient((client) =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(key, (key) =>
            Effect.gen(function* () {
              const path = { collection: "default", key }
              yield* client.entries.put({ path, headers: {}, urlParams: {}, payload: bytes(key) })
              expect(yield* client.entries.get({ path, headers: {} })).toStrictEqual(bytes(key))
            }).pipe(Effect.runPromise)
          ),
          { numRuns: runs(40) }
        )
      )
    )
  })

  it("refuses a key that KV would not take before anything is sent", () =>
    withClient((client) =>
      Effect.gen(function* () {
        for (const key of ["", ".", "..", "x".repeat(513), "\ud800"]) {
          const error = yield* Effect.flip(client.entries.delete({ path: { collection: "default", key }, headers: {} }))
          expect(error._tag).toBe("ParseError")
        }
      })
    ))

  it("sends batches, lists, invalidates and clears", () =>
    withClient((client) =>
      Effect.gen(function* () {
        const path = { collection: "default" }
        const reply = yield* client.cache.batch({
          path,
          payload: {
            set: [
              { key: "a", value: { n: [1, null] }, tags: ["x"] },
              { key: "b", base64: bytes("2") }
            ],
            get: ["a"]
          }
        })
        expect(reply.get).toMatchObject([{ key: "a", status: 200, found: true, value: { n: [1, null] } }])
        const page = yield* client.cache.list({ path, urlParams: { limit: 1 } })
        expect(page).toMatchObject({
          keys: [{ key: "a", tags: ["x"] }],
          cursor: expect.stringMatching(/^\w+\.[\w-]+$/)
        })
        expect(yield* client.cache.invalidate({ payload: { tags: ["x"] } })).toStrictEqual({
          tags: ["x"],
          boundSeconds: 91
        })
        expect(yield* client.cache.clear({ path })).toBeUndefined()
        expect((yield* client.ledger.report({ urlParams: {} })).budget).toBeNull()
        expect((yield* client.data.health()).status).toBe("ok")
        expect((yield* client.cache.stats()).byCollection).toStrictEqual({})
      })
    ))

  it("fails with the problem, whatever its status", async () => {
    const client = open({ apiKeys: "test=write" })
    const failure = (apiKey: string) =>
      withClient(
        (client) => Effect.flip(client.cache.list({ path: { collection: "default" }, urlParams: {} })),
        client,
        apiKey
      )
    expect(await failure("test")).toMatchObject({ _tag: "Problem", status: 403 })
    expect(await failure("wrong")).toMatchObject({ _tag: "Problem", status: 401 })
    client.script.fail = () => "DailyLimit"
    client.script.retryAfter = 7
    const error = await withClient(
      (client) => Effect.flip(client.entries.delete({ path: { collection: "default", key: "a" }, headers: {} })),
      client
    )
    expect(error).toMatchObject({ _tag: "Problem", status: 429, retryAfter: 7 })
  })

  it("talks to the Worker itself", () =>
    clientOf(
      (request) => SELF.fetch(request),
      (client) =>
        Effect.gen(function* () {
          const path = { collection: "default", key: `client/${crypto.randomUUID()}` }
          expect(yield* client.entries.put({ path, headers: {}, urlParams: {}, payload: bytes("1") })).toBe("created")
          expect(yield* client.entries.get({ path, headers: {} })).toStrictEqual(bytes("1"))
          const { get } = yield* client.cache.batch({ path, payload: { get: [path.key] } })
          expect(get).toMatchObject([{ found: true, value: "1", contentType: "application/octet-stream" }])
          expect(yield* client.entries.delete({ path, headers: {} })).toBe("deleted")
          expect((yield* client.data.bindings()).data.critical_bindings_status.CACHE_KV).toBe("ok")
          expect((yield* client.cache.metadata()).collections).toContainEqual(
            expect.objectContaining({ name: "default" })
          )
        })
    ))
})
