import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import { open, refusalOf } from "../../support/http/httpHarness.ts"
import * as Isolates from "../../support/isolates.ts"
import * as ScriptedStore from "../../support/store/scriptedStore.ts"

renewedObject()

const bindings = env as unknown as Env

/** An isolate of a deployment of its own, over the storage that all tests share. */
const isolate = (variables: Record<string, string>) => {
  const serve = Isolates.serve({ ...bindings, ...variables })
  return async (path: string, { headers = {}, ...init }: RequestInit & { headers?: Record<string, string> } = {}) => {
    const context = createExecutionContext()
    const request = new Request(`https://larder.test/api/v1/${path}`, {
      ...init,
      headers: { "X-API-KEY": "test", ...headers }
    })
    const response = await serve(request, context)
    await waitOnExecutionContext(context)
    return response
  }
}

const as = (key: string) => ({ headers: { "X-API-KEY": key } })

describe("a key for some collections", () => {
  const keys = "test=read:notes+write:notes, mixed=read+write:notes, root, none=read:other"

  it("reads and changes these alone, on every route that names one", async () => {
    const { send, sendJson } = open({ apiKeys: keys })
    expect((await send("/api/v1/cache/notes/a", { method: "PUT", body: "1" })).status).toBe(201)
    expect((await send("/api/v1/cache/notes/a")).status).toBe(200)
    expect((await send("/api/v1/cache/notes")).status).toBe(200)
    expect((await sendJson("/api/v1/cache/notes/batch", { get: ["a"], delete: ["b"] })).status).toBe(200)
    expect((await send("/api/v1/cache/notes", { method: "DELETE" })).status).toBe(204)
    for (const [path, method] of [
      ["default/a", "GET"],
      ["default/a", "PUT"],
      ["default", "GET"],
      ["default", "DELETE"],
      ["stats", "GET"]
    ] as const) {
      await refusalOf(await send(`/api/v1/cache/${path}`, { method }), "forbidden")
    }
    await refusalOf(await sendJson("/api/v1/cache/default/batch", { get: ["a"] }), "forbidden")
    await refusalOf(await sendJson("/api/v1/cache/invalidate", { tags: ["t"] }), "forbidden")
    await refusalOf(await send("/api/v1/ledger"), "forbidden")
    await refusalOf(await send("/api/v1/cache/notes/a", as("none")), "forbidden")
  })

  it("may have other scopes everywhere", async () => {
    const { send, sendJson } = open({ apiKeys: keys })
    expect((await send("/api/v1/cache/default/a", as("mixed"))).status).toBe(404)
    expect((await send("/api/v1/cache/notes/a", { method: "PUT", body: "1", ...as("mixed") })).status).toBe(201)
    const refused = await send("/api/v1/cache/default/a", { method: "PUT", body: "1", ...as("mixed") })
    expect((await refusalOf(refused, "forbidden")).detail).toContain('"write:default"')
    const batch = { set: [{ key: "a", value: 1 }] }
    await refusalOf(await sendJson("/api/v1/cache/default/batch", batch, as("mixed")), "forbidden")
    expect((await sendJson("/api/v1/cache/notes/batch", batch, as("mixed"))).status).toBe(200)
  })

  it("says nothing of whether another one exists", async () => {
    const { send } = open({ apiKeys: keys })
    for (const name of ["default", "no-such", "__proto__", "%00"]) {
      await refusalOf(await send(`/api/v1/cache/${name}/a`), "forbidden")
    }
  })
})

describe("keys that are rotated", () => {
  it("are both valid until the old one is gone", async () => {
    const status = async (keys: string, key: string) =>
      (await isolate({ API_KEYS: keys })("cache/default/rotated", as(key))).status
    expect(await status("old", "old")).toBe(404)
    expect(await status("old,new", "old")).toBe(404)
    expect(await status("old,new", "new")).toBe(404)
    expect(await status("new", "new")).toBe(404)
    expect(await status("new", "old")).toBe(401)
  })

  it("of one name are one caller to the rate limit", async () => {
    const ask = isolate({ API_KEYS: "old=read+as:alice,new=read+as:alice", RATE_LIMIT: "20" })
    const before = Date.now()
    const statuses = []
    for (let i = 0; i < 40; i++) statuses.push((await ask("cache/default/x", as(i % 2 === 0 ? "old" : "new"))).status)
    const windows = Math.floor(Date.now() / 60_000) - Math.floor(before / 60_000) + 1
    expect(statuses.filter((status) => status !== 429).length).toBeLessThanOrEqual(20 * windows)
  })
})

describe("a rate limit", () => {
  it("holds for a key over isolates together; its answers say what is left", async () => {
    const key = crypto.randomUUID()
    const variables = { API_KEYS: `${key}=read,free=read+unlimited`, RATE_LIMIT: "20" }
    const isolates = [isolate(variables), isolate(variables), isolate(variables)]
    const before = Date.now()
    const answers: Array<Response> = []
    for (let i = 0; i < 60; i++) answers.push(await isolates[i % 3]!("cache/default/limited", as(key)))
    const windows = Math.floor(Date.now() / 60_000) - Math.floor(before / 60_000) + 1
    const allowed = answers.filter(({ status }) => status !== 429).length
    expect(allowed).toBeLessThanOrEqual(20 * windows)
    expect(allowed).toBeGreaterThanOrEqual(20 - 2 * 2)
    const refused = answers.at(-1)!
    expect(refused.headers.get("RateLimit")).toMatch(/^"key";r=0;t=\d+$/)
    expect(refused.headers.get("RateLimit-Policy")).toBe('"key";q=20;w=60')
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0)
    await refusalOf(refused, "too-many-requests")
    expect(answers[0]!.headers.get("RateLimit")).toMatch(/^"key";r=1\d;t=\d+$/)
    for (let i = 0; i < 40; i++) expect((await isolates[0]!("cache/default/limited", as("free"))).status).toBe(404)
    expect((await isolates[0]!("cache/default/limited", as("free"))).headers.has("RateLimit")).toBe(false)
  })

  it("holds for hits in memory, too, and in KV mode for one isolate", async () => {
    const key = crypto.randomUUID()
    const ask = isolate({ FEATURE_FLAG_DO_CACHE: "off", API_KEYS: key, RATE_LIMIT: "10" })
    const path = `cache/default/${key}`
    expect((await ask(path, { method: "PUT", body: "1", ...as(key) })).status).toBe(201)
    const before = Date.now()
    const statuses = []
    for (let i = 0; i < 30; i++) statuses.push((await ask(path, as(key))).status)
    const windows = Math.floor(Date.now() / 60_000) - Math.floor(before / 60_000) + 1
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(10 * windows)
    expect(statuses).toContain(429)
  })

  it("is not there unless it is set", async () => {
    const ask = isolate({ API_KEYS: "test" })
    expect((await ask("cache/default/x")).headers.has("RateLimit")).toBe(false)
  })
})

describe("pages of other origins", () => {
  const preflight = (origin: string, wanted = "x-api-key,content-type") => ({
    method: "OPTIONS",
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": "PUT",
      "Access-Control-Request-Headers": wanted,
      "X-API-KEY": ""
    }
  })
  const variables = { CORS_ORIGINS: "https://app.example.com, https://*.example.org" }

  it("may not ask unless the setting says so: a preflight says which", async () => {
    const ask = isolate({})
    await refusalOf(await ask("cache/default/x", preflight("https://app.example.com")), "forbidden-origin")
    const answer = await ask("cache/default/x", { headers: { Origin: "https://app.example.com" } })
    expect(answer.headers.has("Access-Control-Allow-Origin")).toBe(false)
  })

  it("are told by a preflight, without a key, what they may send", async () => {
    const ask = isolate(variables)
    const answer = await ask("cache/default/x", preflight("https://app.example.com"))
    expect(answer.status).toBe(204)
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("https://app.example.com")
    expect(answer.headers.get("Access-Control-Allow-Headers")).toBe("x-api-key,content-type")
    for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
      expect(answer.headers.get("Access-Control-Allow-Methods")).toContain(method)
    }
    expect(answer.headers.get("Vary")).toContain("Origin")
    expect((await ask("config", preflight("https://a.b.example.org"))).status).toBe(204)
    for (const origin of [
      "https://example.org",
      "http://app.example.com",
      "https://app.example.com:444",
      "https://app.example.com.evil.test",
      "https://evil.test#.example.org",
      "https://evilexample.org",
      "null"
    ]) {
      await refusalOf(await ask("cache/default/x", preflight(origin)), "forbidden-origin")
    }
  })

  it("can read every answer: hits, refusals and failures", async () => {
    const ask = isolate(variables)
    const Origin = "https://app.example.com"
    const path = `cache/default/${crypto.randomUUID()}`
    for (const [expected, answer] of [
      [201, await ask(path, { method: "PUT", body: "1", headers: { Origin } })],
      [200, await ask(path, { headers: { Origin } })],
      [401, await ask(path, { headers: { Origin, "X-API-KEY": "wrong" } })],
      [404, await ask("nothing", { headers: { Origin } })]
    ] as const) {
      expect(answer.status).toBe(expected)
      expect(answer.headers.get("Access-Control-Allow-Origin")).toBe(Origin)
      expect(answer.headers.get("Access-Control-Expose-Headers")).toBe("*")
      expect(answer.headers.get("Vary")).toBe("Origin")
    }
    const other = await ask(path, { headers: { Origin: "https://evil.test" } })
    expect(other.headers.has("Access-Control-Allow-Origin")).toBe(false)
    expect(other.headers.get("Vary")).toBe("Origin")
  })

  it("all may, with *", async () => {
    const ask = isolate({ CORS_ORIGINS: "*" })
    expect((await ask("ledger", preflight("https://any.test"))).headers.get("Access-Control-Allow-Origin")).toBe("*")
    const answer = await ask("ledger", { headers: { Origin: "https://any.test" } })
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*")
  })
})

describe("what a request may take", () => {
  it("413: a body over its size, 408: one that does not arrive", async () => {
    const { send } = open({ settings: { maxValueBytes: 10 }, variables: { BODY_DEADLINE: "50 millis" } })
    await refusalOf(await send("/api/v1/cache/notes/a", { method: "PUT", body: "12345678901" }), "too-large")
    for (const [path, method] of [
      ["/api/v1/cache/notes/a", "PUT"],
      ["/api/v1/cache/notes/batch", "POST"]
    ] as const) {
      const stalled = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("{")) })
      const headers = { "Content-Type": "application/json" }
      const response = await send(path, { method, headers, body: stalled, duplex: "half" } as RequestInit)
      await refusalOf(response, "request-timeout")
    }
  })

  it("503: an answer that does not come", async () => {
    const script = ScriptedStore.script()
    const { send } = open({ script, variables: { REQUEST_DEADLINE: "50 millis" } })
    script.hangs = true
    const refused = await send("/api/v1/cache/notes/a")
    expect(refused.headers.get("Retry-After")).toBe("1")
    await refusalOf(refused, "took-too-long")
    await refusalOf(await send("/api/v1/cache/notes"), "took-too-long")
  })
})

describe("a wrong key", () => {
  it("is logged without the key, ten seconds apart", async () => {
    const { logged, send } = open()
    for (let i = 0; i < 5; i++) await send("/api/v1/ledger?cursor=1", as("s3cret-of-another"))
    await send("/api/v1/ledger", { headers: { "X-API-KEY": "test" } })
    expect(logged.length).toBe(1)
    const text = JSON.stringify(logged)
    expect(text).not.toContain("s3cret")
    expect(text).toMatch(/sha256:[0-9a-f]{8}/)
    expect(text).toContain("/api/v1/ledger")
    expect(text).not.toContain("cursor")
  })

  it("that is missing is not", async () => {
    const { answer, logged } = open()
    await answer(new Request("https://larder.test/api/v1/ledger"))
    expect(logged).toEqual([])
  })
})
