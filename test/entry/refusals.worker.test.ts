import { describe, expect, it } from "vitest"
import { kinds } from "../../src/entry/problem.ts"
import type { StoreReason } from "../../src/services/Store.ts"
import { open, problemOf } from "../support/door.ts"

const a = "/api/v1/cache/default/a"

/** A refusal: its status, and the slug of its type. */
const expectRefusal = async (response: Response, slug: keyof typeof kinds): Promise<Record<string, unknown>> => {
  const problem = await problemOf(response)
  expect(problem).toMatchObject({ type: `/problems/${slug}`, status: kinds[slug][0], title: kinds[slug][1] })
  expect(response.headers.get("Cache-Control")).toBe("no-store")
  return problem
}

describe("who may ask", () => {
  it("401: without a key, or with another one, on every route but the public ones, known or not", async () => {
    const { answer } = open()
    const ask = (url: string, headers: Record<string, string> = {}) =>
      answer(new Request(`https://larder.test${url}`, { headers }))
    for (const url of [a, "/api/v1/ledger", "/api/v1/cache/stats", "/api/v1/data/bindings", "/api/v1/nothing"]) {
      for (const headers of [{}, { "X-API-KEY": "wrong" }, { "X-API-KEY": "" }, { Authorization: "Bearer test" }]) {
        const response = await ask(url, headers)
        expect(response.headers.get("WWW-Authenticate")).toMatch(/^ApiKey /)
        await expectRefusal(response, "unauthorized")
      }
    }
    expect((await ask("/api/v1/data/health")).status).toBe(200)
    expect((await ask("/openapi.json")).status).toBe(200)
  })

  it("403: with a key that lacks the scope", async () => {
    const { send, sendJson } = open({ apiKeys: "test=read, w=write ,rw=read+write" })
    const as = (key: string) => ({ headers: { "X-API-KEY": key } })
    expect((await send(a)).status).toBe(404)
    for (const method of ["PUT", "DELETE"]) await expectRefusal(await send(a, { method }), "forbidden")
    await expectRefusal(await send("/api/v1/cache/default", { method: "DELETE" }), "forbidden")
    await expectRefusal(await sendJson("/api/v1/cache/invalidate", { tags: ["t"] }), "forbidden")
    await expectRefusal(await send(a, as("w")), "forbidden")
    await expectRefusal(await send("/api/v1/ledger", as("w")), "forbidden")
    expect((await send(a, { method: "PUT", body: "1", ...as("w") })).status).toBe(201)
    expect((await send(a, as("rw"))).status).toBe(200)
  })

  it("403: a batch that changes something needs both scopes, one that only reads needs one", async () => {
    const { sendJson } = open({ apiKeys: "test=read,w=write" })
    const batch = "/api/v1/cache/default/batch"
    expect((await sendJson(batch, { get: ["a"], set: [], delete: [] })).status).toBe(200)
    await expectRefusal(await sendJson(batch, { set: [{ key: "a", value: 1 }] }), "forbidden")
    await expectRefusal(await sendJson(batch, { delete: ["a"] }), "forbidden")
    await expectRefusal(await sendJson(batch, { get: ["a"] }, { headers: { "X-API-KEY": "w" } }), "forbidden")
  })

  it("503: while the Worker has no keys, nobody may do anything", async () => {
    for (const apiKeys of [undefined, "", " , ,", "k=reed"]) {
      const { send } = open({ apiKeys })
      await expectRefusal(await send(a), "no-api-key-configured")
      await expectRefusal(await send("/api/v1/ledger", { headers: { "X-API-KEY": "k" } }), "no-api-key-configured")
    }
  })
})

describe("what there is", () => {
  it("404: unknown routes and collections", async () => {
    const { send, sendJson } = open()
    for (const path of [
      "/nothing",
      "/api",
      "/api/v1/cache",
      "/api/v1/cache/",
      "/api/v1/ledger/",
      "/api/v1/ledger/x",
      "/x//y"
    ]) {
      await expectRefusal(await send(path), "no-such-route")
    }
    for (const collection of ["other", "stats", "Default", "__proto__", "~tags"]) {
      await expectRefusal(await send(`/api/v1/cache/${collection}/a`), "no-such-collection")
      await expectRefusal(await sendJson(`/api/v1/cache/${collection}/batch`, {}), "no-such-collection")
    }
    await expectRefusal(await send("/api/v1/cache/other"), "no-such-collection")
    await expectRefusal(await send("/api/v1/cache/other", { method: "DELETE" }), "no-such-collection")
  })

  it("405: names the methods that do apply", async () => {
    const { send } = open()
    const allow = async (path: string, method: string) => {
      const response = await send(path, { method })
      await expectRefusal(response.clone(), "method-not-allowed")
      return response.headers.get("Allow")
    }
    expect(await allow(a, "POST")).toBe("GET, HEAD, PUT, DELETE")
    expect(await allow(a, "PATCH")).toBe("GET, HEAD, PUT, DELETE")
    expect(await allow("/api/v1/cache/default", "PUT")).toBe("GET, HEAD, DELETE")
    expect(await allow("/api/v1/cache/stats", "DELETE")).toBe("GET, HEAD")
    expect(await allow("/api/v1/cache/invalidate", "GET")).toBe("POST")
    expect(await allow("/api/v1/data/health", "POST")).toBe("GET, HEAD")
    expect(await allow("/openapi.json", "POST")).toBe("GET, HEAD")
  })
})

describe("bad input", () => {
  it("400: keys that KV would not take, naming the rule", async () => {
    const { send } = open()
    const rule = async (key: string) =>
      (await expectRefusal(await send(`/api/v1/cache/default/${key}`), "bad-key")).detail
    expect(await rule("")).toMatch(/empty/)
    expect(await rule("k".repeat(513))).toMatch(/512 bytes.*513/)
    expect(await rule("%F0%9F%8D%AF".repeat(129))).toMatch(/512 bytes.*516/)
    for (const escape of ["%", "%zz", "%C3", "%ED%A0%80"]) expect(await rule(escape)).toMatch(/escape/)
  })

  it("400 or 404: dots never reach a key, because URL parsers take them out of the path", async () => {
    const { send } = open()
    for (const dot of [".", "%2e", "%2E", "x/..", "x/%2e%2e", "./"]) {
      await expectRefusal(await send(`/api/v1/cache/default/${dot}`), "bad-key")
      await expectRefusal(await send(`/api/v1/cache/default/${dot}`, { method: "DELETE" }), "bad-key")
    }
    for (const dots of ["..", "%2e%2e", ".%2E", "x/../.."]) {
      await expectRefusal(await send(`/api/v1/cache/default/${dots}`), "no-such-route")
      await expectRefusal(await send(`/api/v1/cache/default/${dots}`, { method: "DELETE" }), "no-such-route")
    }
    expect((await send("/api/v1/cache/default/x%2F..%2Fy", { method: "PUT", body: "1" })).status).toBe(201)
    expect(await (await send("/api/v1/cache/default/x%2F..%2Fy")).text()).toBe("1")
  })

  it("400: a ttl that is not whole seconds from 1 to a year", async () => {
    const { send } = open()
    for (const ttl of ["0", "-1", "1.5", "1e3", "31536001", "9".repeat(30), "", "x", " 1", "Infinity", "1&ttl=2"]) {
      await expectRefusal(await send(`${a}?ttl=${ttl}`, { method: "PUT", body: "1" }), "bad-parameter")
    }
    for (const ttl of ["1", "31536000", "007"]) {
      expect((await send(`${a}?ttl=${ttl}`, { method: "PUT", body: "1" })).status).toBeLessThan(300)
    }
  })

  it("400: tags that are empty, too long, too many, or hold control characters", async () => {
    const { send } = open()
    const many = Array.from({ length: 65 }, (_, index) => `t${index}`)
    for (const tags of ["", ",", "a,,b", "x".repeat(129), "a%00", "a%0A", many.join(), "a&tags=b"]) {
      await expectRefusal(await send(`${a}?tags=${tags}`, { method: "PUT", body: "1" }), "bad-parameter")
    }
    for (const tags of ["x".repeat(128), many.slice(1).join(), "a b", "%F0%9F%8D%AF"]) {
      expect((await send(`${a}?tags=${tags}`, { method: "PUT", body: "1" })).status).toBeLessThan(300)
    }
  })

  it("400: headers that would make a PUT something else", async () => {
    const { send } = open()
    for (const [name, value] of [
      ["If-Match", '"x"'],
      ["If-None-Match", "*"],
      ["Content-Range", "bytes 0-1/2"],
      ["Content-Type", "nonsense"],
      ["Content-Type", `text/${"x".repeat(300)}`]
    ] as const) {
      await expectRefusal(await send(a, { method: "PUT", body: "1", headers: { [name]: value } }), "bad-header")
    }
  })

  it("400: a limit, or a cursor, that is none", async () => {
    const { send, script } = open()
    for (const limit of ["0", "1001", "x", "1.5", ""]) {
      const problem = await expectRefusal(await send(`/api/v1/cache/default?limit=${limit}`), "bad-parameter")
      expect(problem.detail).toMatch(/^limit: /)
    }
    script.fail = () => "BadCursor"
    await expectRefusal(await send("/api/v1/cache/default?cursor=x"), "bad-parameter")
  })

  it("413: a value over the limit, whether its length is declared or not", async () => {
    const { send, script } = open({ settings: { maxValueBytes: 10 } })
    expect((await send(a, { method: "PUT", body: "x".repeat(10) })).status).toBe(201)
    await expectRefusal(await send(a, { method: "PUT", body: "x".repeat(11) }), "too-large")
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1
        controller.enqueue(new Uint8Array(4))
      }
    })
    await expectRefusal(await send(a, { method: "PUT", body: endless }), "too-large")
    expect(pulled).toBeLessThan(10)
    const short = new Blob(["12345", "67890"]).stream()
    expect((await send(a, { method: "PUT", body: short })).status).toBe(204)
    expect(new TextDecoder().decode(script.entries.get("default/a")?.value)).toBe("1234567890")
  })

  it("413: a JSON body over the limit, and a batch that names too many keys", async () => {
    const { sendJson } = open({ settings: { maxValueBytes: 200, maxBatchKeys: 3 } })
    const batch = "/api/v1/cache/default/batch"
    await expectRefusal(await sendJson(batch, { get: ["x".repeat(200)] }), "too-large")
    expect((await sendJson(batch, { get: ["a"], set: [{ key: "b", value: 1 }], delete: ["c"] })).status).toBe(200)
    await expectRefusal(await sendJson(batch, { get: ["a", "a"], delete: ["c", "d"] }), "too-many-keys")
  })

  it("414: a URL longer than anything that could be meant", async () => {
    const { send } = open()
    await expectRefusal(await send(`${a}?x=${"x".repeat(17_000)}`), "url-too-long")
  })

  it("415: a body that is not JSON where JSON is taken, or encoded where bytes are", async () => {
    const { send } = open()
    for (const type of ["text/plain", "application/xml", "application/jsonx", "multipart/form-data"]) {
      const init = { method: "POST", body: '{"tags":["t"]}', headers: { "Content-Type": type } }
      await expectRefusal(await send("/api/v1/cache/invalidate", init), "unsupported-media-type")
    }
    const gzip = { method: "PUT", body: "x", headers: { "Content-Encoding": "gzip" } }
    await expectRefusal(await send(a, gzip), "unsupported-media-type")
  })

  it("400: what is called JSON and is not", async () => {
    const { send } = open()
    for (const body of ["{", "", "{'a':1}", "nope"]) {
      const init = { method: "POST", body, headers: { "Content-Type": "application/json; charset=utf-8" } }
      await expectRefusal(await send("/api/v1/cache/invalidate", init), "bad-json")
    }
    await expectRefusal(await send("/api/v1/cache/invalidate", { method: "POST" }), "bad-json")
  })

  it("422: JSON of another shape, saying where", async () => {
    const { sendJson } = open()
    const misfit = async (path: string, body: unknown) =>
      (await expectRefusal(await sendJson(path, body), "invalid-body")).errors as Array<{ pointer: string }>
    const batch = "/api/v1/cache/default/batch"
    expect(
      await misfit(batch, {
        set: [
          { key: "a", value: 1 },
          { key: 7, value: 1 }
        ]
      })
    ).toMatchObject([{ pointer: "#/set/1/key" }])
    expect(await misfit(batch, { get: ["ok", ""] })).toMatchObject([
      { pointer: "#/get/1", detail: "a key must not be empty" }
    ])
    expect(await misfit(batch, { set: [{ key: "a" }] })).toMatchObject([{ pointer: "#/set/0" }])
    expect(await misfit(batch, { set: [{ key: "a", value: 1, base64: "" }] })).toMatchObject([{ pointer: "#/set/0" }])
    expect(await misfit(batch, { set: [{ key: "a", value: 1, ttl: 0 }] })).toMatchObject([{ pointer: "#/set/0/ttl" }])
    expect(await misfit(batch, { set: [{ key: "a", value: "\ud800" }] })).toMatchObject([{ pointer: "#/set/0" }])
    expect(await misfit(batch, { set: [{ key: "a", base64: "!" }] })).toMatchObject([{ pointer: "#/set/0/base64" }])
    expect(await misfit(batch, { get: "a" })).toMatchObject([{ pointer: "#/get" }])
    expect(await misfit(batch, [])).toHaveLength(1)
    expect(await misfit(batch, null)).toHaveLength(1)
    expect(await misfit("/api/v1/cache/invalidate", { tags: [] })).toMatchObject([{ pointer: "#/tags" }])
    expect(await misfit("/api/v1/cache/invalidate", { tags: ["a,b"] })).toMatchObject([{ pointer: "#/tags/0" }])
    expect(await misfit("/api/v1/cache/invalidate", {})).toMatchObject([{ pointer: "#/tags" }])
  })
})

describe("a store that fails", () => {
  const outcomes: ReadonlyArray<readonly [StoreReason, "GET" | "PUT", keyof typeof kinds, string | null]> = [
    ["RateLimited", "PUT", "rate-limited", "1"],
    ["Unavailable", "GET", "unavailable", "1"],
    ["LoadFailed", "GET", "unavailable", "1"],
    ["Unavailable", "PUT", "not-stored", "1"],
    ["TooLarge", "PUT", "too-large", null],
    ["BadKey", "PUT", "bad-key", null]
  ]

  it("429 and 503: say when to try again", async () => {
    const { send, script } = open()
    for (const [reason, method, slug, retryAfter] of outcomes) {
      script.fail = () => reason
      const response = await send(a, { method })
      expect(response.headers.get("Retry-After")).toBe(retryAfter)
      await expectRefusal(response, slug)
    }
    script.fail = () => "Unavailable"
    script.retryAfter = 4.2
    expect((await send(a, { method: "DELETE" })).headers.get("Retry-After")).toBe("5")
    expect((await send("/api/v1/cache/default")).headers.get("Retry-After")).toBe("5")
  })

  it("429: a spent allowance comes back at midnight UTC", async () => {
    const { send, script } = open()
    script.fail = () => "DailyLimit"
    const response = await send(a, { method: "PUT", body: "1" })
    const seconds = Number(response.headers.get("Retry-After"))
    await expectRefusal(response, "daily-limit")
    const midnight = Math.ceil(Date.now() / 86_400_000) * 86_400
    expect(Math.abs(Date.now() / 1000 + seconds - midnight)).toBeLessThan(5)
  })

  it("500: a mistake of ours is logged and never shown", async () => {
    const { logged, send, sendJson, script } = open()
    script.fail = () => "Defect"
    const asks = [
      () => send(a),
      () => send(a, { method: "HEAD" }),
      () => send(a, { method: "PUT", body: "1" }),
      () => send("/api/v1/cache/default"),
      () => send("/api/v1/cache/default", { method: "DELETE" }),
      () => sendJson("/api/v1/cache/invalidate", { tags: ["t"] }),
      () => sendJson("/api/v1/cache/default/batch", { get: ["a"] })
    ]
    for (const ask of asks) {
      const response = await ask()
      expect(response.status).toBe(500)
      const text = await response.text()
      if (text === "") continue
      const fields = Object.keys(JSON.parse(text)).sort()
      expect(fields).toStrictEqual(["detail", "instance", "status", "title", "type"])
      expect(text).not.toMatch(/secret|\.ts|TypeError/)
    }
    expect(logged).toHaveLength(asks.length)
    expect(String((logged[0] as Array<unknown>)[1])).toMatch(/secret internals/)
  })
})
