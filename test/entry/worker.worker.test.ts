import { createExecutionContext, env, SELF, waitOnExecutionContext } from "cloudflare:test"
import { beforeEach, describe, expect, it } from "vitest"
import type { Env } from "../../src/entry/app.ts"
import { kinds } from "../../src/entry/http/problem.ts"
import { renewedObject } from "../support/durable/renewedObject.ts"
import { problemOf } from "../support/http/httpHarness.ts"
import * as Isolates from "../support/isolates.ts"

renewedObject()

const origin = "https://larder.test"

/** Over the storage that both modes share, one after the other. */
const modes = {
  durable: { ...(env as unknown as Env), FEATURE_FLAG_DO_CACHE: "on" },
  kv: { ...(env as unknown as Env), FEATURE_FLAG_DO_CACHE: "off" }
}

let bindings: Env = modes.durable

/** Through the runtime's own front client. The pool gives each request an `env`, and so an isolate state, of its own. */
const sendApart = (path: string, init: RequestInit = {}): Promise<Response> =>
  SELF.fetch(`${origin}${path}`, { ...init, headers: { "X-API-KEY": "test", ...init.headers } })

/** As in production: all requests of the isolate share one `env`, and what was built for it. */
const send = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const context = createExecutionContext()
  const headers = { "X-API-KEY": "test", ...init.headers } as HeadersInit
  const response = await Isolates.serve(bindings)(new Request(`${origin}${path}`, { ...init, headers }), context)
  await waitOnExecutionContext(context)
  return response
}

/** The storage is shared by all tests, so every one has keys of its own. */
const unique = (name: string): string => `${name}-${crypto.randomUUID()}`

// biome-ignore lint/suspicious/noExplicitAny: the assertions are the types
const json = async (path: string): Promise<any> => (await send(path)).json()

describe.each(["durable", "kv"] as const)("the Worker, mode %s", (mode) => {
  beforeEach(() => {
    bindings = modes[mode]
  })

  it("takes 25 MiB under 128 tags of 256 characters, each of which ends it", async () => {
    const path = `/api/v1/cache/default/${unique("largest")}`
    const tags = Array.from({ length: 128 }, (_, at) => `${unique("tag")}-${at}`.padEnd(256, "."))
    const json = { method: "POST", headers: { "Content-Type": "application/json" } }
    for (const ending of [tags[0], tags[127]]) {
      const put = await send(`${path}?tags=${tags.join()}`, { method: "PUT", body: new Uint8Array(25 * 1024 * 1024) })
      expect([201, 204]).toContain(put.status)
      const got = await send(path)
      expect([got.status, (await got.arrayBuffer()).byteLength]).toStrictEqual([200, 25 * 1024 * 1024])
      const body = JSON.stringify({ tags: [ending] })
      expect((await send("/api/v1/cache/invalidate", { ...json, body })).status).toBe(200)
      expect((await send(path)).status).toBe(404)
    }
  })

  it("answers what it was given from memory", async () => {
    const path = `/api/v1/cache/default/${unique("a/b ü")}`
    expect((await send(path, { method: "PUT", body: "1", headers: { "Content-Type": "text/plain" } })).status).toBe(201)
    const got = await send(path)
    expect(got.status).toBe(200)
    expect(await got.text()).toBe("1")
    expect(got.headers.get("Content-Type")).toBe("text/plain")
    expect(got.headers.get("Cache-Status")).toMatch(/^Larder; hit; ttl=\d+; detail=memory$/)
    expect((await send(path, { headers: { "If-None-Match": got.headers.get("ETag")! } })).status).toBe(304)
    expect((await send(path, { method: "PUT", body: "2" })).status).toBe(204)
    const head = await send(path, { method: "HEAD" })
    expect([head.status, head.headers.get("Content-Length"), await head.text()]).toStrictEqual([200, "1", ""])
    expect((await send(path, { method: "DELETE" })).status).toBe(204)
    expect(await problemOf(await send(path))).toMatchObject({ status: 404, type: "/problems/no-such-entry" })
  })

  it("answers alike by the fast path and by the ordinary one, which a parameter takes", async () => {
    // An isolate of its own: others count what theirs asked.
    bindings = { ...modes[mode] }
    for (const [key, type] of [
      ["plain", "text/plain"],
      ["a%2Fb%20%C3%BC", "application/json"],
      ["deep/er/%F0%9F%98%80", "image/png"]
    ]) {
      const path = `/api/v1/cache/default/${unique("alike")}${key}`
      await send(`${path}?ttl=300`, { method: "PUT", body: "1", headers: { "Content-Type": type! } })
      const conditions: ReadonlyArray<Record<string, string>> = [
        {},
        { "If-None-Match": "*" },
        { "If-None-Match": 'W/"a", "b"' },
        { "If-None-Match": '"a' },
        { "If-None-Match": "a" },
        { "If-None-Match": '*, "a"' },
        { "If-Match": 'W/"a"' },
        { "If-Match": "" },
        { "If-Match": ', "a",', "If-None-Match": "*" },
        { "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT" },
        { "If-Modified-Since": "Sun Nov  6 08:49:37 1994" },
        { "If-Unmodified-Since": "Sunday, 06-Nov-94 08:49:37 GMT" },
        { "If-Unmodified-Since": "long ago" }
      ]
      for (const headers of conditions) {
        const answers = [await send(path, { headers }), await send(`${path}?`, { headers })]
        const [short, long] = await Promise.all(
          answers.map(async (answer) => {
            const fields = Object.fromEntries(answer.headers)
            return {
              ...fields,
              "cache-status": "",
              age: "",
              "server-timing": "",
              "x-request-id": "",
              body: new TextDecoder().decode(await answer.arrayBuffer()).replace(/"requestId":"[^"]*"/, ""),
              status: answer.status
            }
          })
        )
        expect(short).toStrictEqual(long)
      }
    }
    expect((await send("/api/v1/cache/default/x", { headers: { "X-API-KEY": "wrong" } })).status).toBe(401)
    expect((await send("/api/v1/cache/nowhere/x")).status).toBe(404)
  })

  it("counts what it spent: the second read of a key costs nothing", async () => {
    const path = `/api/v1/cache/default/${unique("counted")}`
    const before = await json("/api/v1/ledger")
    expect((await send(path)).status).toBe(404)
    const once = await json("/api/v1/ledger")
    for (const _ of [2, 3]) expect((await send(path)).status).toBe(404)
    const after = await json("/api/v1/ledger")
    expect(after.total.logical.reads - before.total.logical.reads).toBe(3)
    expect([after.total.kv, after.total.durableObject]).toStrictEqual([once.total.kv, once.total.durableObject])
    if (mode === "kv") {
      expect(once.total.kv.reads - before.total.kv.reads).toBe(1)
      expect(after.byNamespace.CACHE_KV.kv.reads).toBe(after.total.kv.reads)
    } else {
      expect(once.total.durableObject.requests - before.total.durableObject.requests).toBe(1)
      expect(after.byNamespace.CACHE_KV).toBeUndefined()
    }
    expect(after.byCollection.default.logical.reads).toBe(after.total.logical.reads)
  })

  it("carries out a batch, lists it, and drops it by its tag", async () => {
    const [prefix, tag] = [unique("batch"), unique("tag")]
    const keys = ["1", "2", "3"].map((it) => `${prefix}/${it}`)
    const reply = await send("/api/v1/cache/default/batch", {
      method: "POST",
      body: JSON.stringify({
        set: keys.map((key, n) => ({ key, value: { n }, tags: [tag] })),
        get: [...keys, `${prefix}/4`]
      }),
      headers: { "Content-Type": "application/json" }
    })
    const { get } = (await reply.json()) as { get: Array<{ found: boolean; value: unknown }> }
    expect(get.map(({ value }) => value)).toStrictEqual([{ n: 0 }, { n: 1 }, { n: 2 }, undefined])
    expect(get.map(({ found }) => found)).toStrictEqual([true, true, true, false])
    const page = await json(`/api/v1/cache/default?prefix=${prefix}&limit=2`)
    expect(page.keys.map(({ key }: { key: string }) => key)).toStrictEqual(keys.slice(0, 2))
    expect((await json(`/api/v1/cache/default?prefix=${prefix}&cursor=${page.cursor}`)).keys).toHaveLength(1)
    const invalidated = await send("/api/v1/cache/invalidate", {
      method: "POST",
      body: JSON.stringify({ tags: [tag] }),
      headers: { "Content-Type": "application/json" }
    })
    expect(await invalidated.json()).toMatchObject({ tags: [tag], boundSeconds: expect.any(Number) })
    for (const key of keys) expect((await send(`/api/v1/cache/default/${encodeURIComponent(key)}`)).status).toBe(404)
  })

  it("says that its bindings work", async () => {
    expect(await json("/api/v1/data/bindings")).toMatchObject({
      status: "ok",
      data: {
        critical_bindings_status: { CACHE_KV: "ok" },
        kv_self_test: { ok: true, write: "ok", read: "ok", delete: "ok" }
      }
    })
  })

  it("answers requests that overlap from their first moment on", async () => {
    const asks = Array.from({ length: 12 }, (_, n) =>
      n % 3 === 0 ? send("/api/v1/cache/stats") : send(`/api/v1/cache/default/${unique("overlap")}`)
    )
    const statuses = await Promise.all(asks.map(async (ask) => (await ask).status))
    expect(new Set(statuses)).toStrictEqual(new Set([200, 404]))
  })
})

describe("the Worker, through the front client", () => {
  it("keeps an entry for isolates that know nothing of it, as checked out in the objects", async () => {
    const path = `/api/v1/cache/default/${encodeURIComponent(unique("a/b ü"))}`
    const value = crypto.getRandomValues(new Uint8Array(1000))
    expect((await sendApart(`${path}?tags=x&ttl=300`, { method: "PUT", body: value })).status).toBe(201)
    const got = await sendApart(path)
    expect(got.status).toBe(200)
    expect(new Uint8Array(await got.arrayBuffer())).toStrictEqual(value)
    expect(got.headers.get("Cache-Status")).toMatch(/^Larder; hit(; ttl=\d+)?; detail=(edge|durable)$/)
    const head = await sendApart(path, { method: "HEAD" })
    expect([head.status, head.headers.get("Content-Length"), await head.text()]).toStrictEqual([200, "1000", ""])
    const same = await sendApart(path, { headers: { "If-None-Match": got.headers.get("ETag")! } })
    expect([same.status, await same.text()]).toStrictEqual([304, ""])
    expect((await sendApart(path, { method: "DELETE" })).status).toBe(204)
    expect(await problemOf(await sendApart(path))).toMatchObject({ status: 404, type: "/problems/no-such-entry" })
    expect((await problemOf(await sendApart(path, { headers: { "X-API-KEY": "other" } }))).status).toBe(401)
    expect((await problemOf(await sendApart(path, { method: "PATCH" }))).status).toBe(405)
  })

  it("is open where anybody may look, and closed elsewhere", async () => {
    const open = (path: string) => SELF.fetch(`${origin}${path}`)
    expect(await (await open("/api/v1/data/health")).json()).toMatchObject({
      status: "ok",
      cache: { memory: { capacityBytes: 50_000_000 } },
      performance: { kv: {} }
    })
    const spec = (await (await open("/openapi.json")).json()) as { openapi: string; paths: object }
    expect(spec.openapi).toBe("3.1.0")
    expect(Object.keys(spec.paths)).toContain("/api/v1/cache/{collection}/{key}")
    expect((await problemOf(await open("/api/v1/ledger"))).status).toBe(401)
    expect((await problemOf(await open("/nothing"))).status).toBe(404)
  })

  it("tells anybody at the type of a problem what it means", async () => {
    for (const [kind, [status, title]] of Object.entries(kinds)) {
      const page = await SELF.fetch(`${origin}/problems/${kind}`)
      expect([kind, page.status]).toStrictEqual([kind, 200])
      const text = await page.text()
      expect(text).toContain(`<h1>${title.replaceAll("&", "&amp;")}</h1>`)
      expect(text).toContain(`status ${status}`)
    }
    expect((await SELF.fetch(`${origin}/problems/no-such-problem`)).status).toBe(404)
  })

  it("serves pages that load nothing from elsewhere", async () => {
    for (const path of ["/", "/docs", "/problems/", "/problems/unavailable"]) {
      const page = await SELF.fetch(`${origin}${path}`)
      expect(page.headers.get("Content-Type")).toMatch(/^text\/html/)
      const html = await page.text()
      expect(html).toMatch(/default-src 'none'/)
      expect(html).not.toMatch(/https?:|@import|url\(/)
      const loaded = [...html.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, url]) => url!)
      for (const url of loaded) expect(url).toMatch(/^(\/(?!\/)|#|data:)/)
      for (const url of loaded.filter((url) => /\.(js|css)$/.test(url))) {
        expect((await SELF.fetch(`${origin}${url}`)).status).toBe(200)
      }
    }
  })
})
