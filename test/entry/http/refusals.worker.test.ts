import { describe, expect, it } from "vitest"
import { open, refusalOf } from "../../support/http/httpHarness.ts"

const a = "/api/v1/cache/default/a"

describe("who may ask", () => {
  it("401: without a key, or with another one, on every route but the public ones, known or not", async () => {
    const { answer } = open()
    const ask = (url: string, headers: Record<string, string> = {}) =>
      answer(new Request(`https://larder.test${url}`, { headers }))
    for (const url of [a, "/api/v1/ledger", "/api/v1/cache/stats", "/api/v1/data/bindings", "/api/v1/nothing"]) {
      for (const headers of [{}, { "X-API-KEY": "wrong" }, { "X-API-KEY": "" }, { Authorization: "Bearer test" }]) {
        const response = await ask(url, headers)
        expect(response.headers.get("WWW-Authenticate")).toMatch(/^ApiKey /)
        await refusalOf(response, "unauthorized")
      }
    }
    expect((await ask("/api/v1/data/health")).status).toBe(200)
    expect((await ask("/openapi.json")).status).toBe(200)
  })

  it("403: with a key that lacks the scope", async () => {
    const { send, sendJson } = open({ apiKeys: "test=read, w=write ,rw=read+write" })
    const as = (key: string) => ({ headers: { "X-API-KEY": key } })
    expect((await send(a)).status).toBe(404)
    for (const method of ["PUT", "DELETE"]) await refusalOf(await send(a, { method }), "forbidden")
    await refusalOf(await send("/api/v1/cache/default", { method: "DELETE" }), "forbidden")
    await refusalOf(await sendJson("/api/v1/cache/invalidate", { tags: ["t"] }), "forbidden")
    await refusalOf(await send(a, as("w")), "forbidden")
    await refusalOf(await send("/api/v1/ledger", as("w")), "forbidden")
    expect((await send(a, { method: "PUT", body: "1", ...as("w") })).status).toBe(201)
    expect((await send(a, as("rw"))).status).toBe(200)
  })

  it("403: a batch that changes something needs both scopes, one that only reads needs one", async () => {
    const { sendJson } = open({ apiKeys: "test=read,w=write" })
    const batch = "/api/v1/cache/default/batch"
    expect((await sendJson(batch, { get: ["a"], set: [], delete: [] })).status).toBe(200)
    await refusalOf(await sendJson(batch, { set: [{ key: "a", value: 1 }] }), "forbidden")
    await refusalOf(await sendJson(batch, { delete: ["a"] }), "forbidden")
    await refusalOf(await sendJson(batch, { get: ["a"] }, { headers: { "X-API-KEY": "w" } }), "forbidden")
  })

  it("503: while the Worker has no keys, nobody may do anything", async () => {
    for (const apiKeys of [undefined, "", " , ,", "k=reed"]) {
      const { send } = open({ apiKeys })
      await refusalOf(await send(a), "no-api-key-configured")
      await refusalOf(await send("/api/v1/ledger", { headers: { "X-API-KEY": "k" } }), "no-api-key-configured")
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
      await refusalOf(await send(path), "no-such-route")
    }
    for (const collection of ["other", "stats", "Default", "__proto__", "~tags"]) {
      await refusalOf(await send(`/api/v1/cache/${collection}/a`), "no-such-collection")
      const problem = await refusalOf(
        await sendJson(`/api/v1/cache/${collection}/batch`, { get: ["a"] }),
        "no-such-collection"
      )
      expect(problem.instance).toBe(`/api/v1/cache/${collection}/batch`)
    }
    await refusalOf(await send("/api/v1/cache/other"), "no-such-collection")
    await refusalOf(await send("/api/v1/cache/other", { method: "DELETE" }), "no-such-collection")
  })

  it("405: names the methods that do apply", async () => {
    const { send } = open()
    const allow = async (path: string, method: string) => {
      const response = await send(path, { method })
      await refusalOf(response.clone(), "method-not-allowed")
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
    const rule = async (key: string) => (await refusalOf(await send(`/api/v1/cache/default/${key}`), "bad-key")).detail
    expect(await rule("")).toMatch(/empty/)
    expect(await rule("k".repeat(513))).toMatch(/512 bytes.*513/)
    expect(await rule("%F0%9F%8D%AF".repeat(129))).toMatch(/512 bytes.*516/)
    for (const escape of ["%", "%zz", "%C3", "%ED%A0%80"]) expect(await rule(escape)).toMatch(/escape/)
  })

  it("400 or 404: dots never reach a key, because URL parsers take them out of the path", async () => {
    const { send } = open()
    for (const dot of [".", "%2e", "%2E", "x/..", "x/%2e%2e", "./"]) {
      await refusalOf(await send(`/api/v1/cache/default/${dot}`), "bad-key")
      await refusalOf(await send(`/api/v1/cache/default/${dot}`, { method: "DELETE" }), "bad-key")
    }
    for (const dots of ["..", "%2e%2e", ".%2E", "x/../.."]) {
      await refusalOf(await send(`/api/v1/cache/default/${dots}`), "no-such-route")
      await refusalOf(await send(`/api/v1/cache/default/${dots}`, { method: "DELETE" }), "no-such-route")
    }
    expect((await send("/api/v1/cache/default/x%2F..%2Fy", { method: "PUT", body: "1" })).status).toBe(201)
    expect(await (await send("/api/v1/cache/default/x%2F..%2Fy")).text()).toBe("1")
  })

  it("400: a ttl that is not whole seconds from 1 to a year", async () => {
    const { send } = open()
    for (const ttl of ["0", "-1", "1.5", "1e3", "31536001", "9".repeat(30), "", "x", " 1", "Infinity", "1&ttl=2"]) {
      await refusalOf(await send(`${a}?ttl=${ttl}`, { method: "PUT", body: "1" }), "bad-parameter")
    }
    for (const ttl of ["1", "31536000", "007"]) {
      expect((await send(`${a}?ttl=${ttl}`, { method: "PUT", body: "1" })).status).toBeLessThan(300)
    }
  })

  it("400: tags that are empty, too long, too many, or hold control characters", async () => {
    const { send } = open()
    const many = Array.from({ length: 129 }, (_, index) => `t${index}`)
    for (const tags of ["", ",", "a,,b", "x".repeat(257), "a%00", "a%0A", many.join(), "a&tags=b"]) {
      await refusalOf(await send(`${a}?tags=${tags}`, { method: "PUT", body: "1" }), "bad-parameter")
    }
    for (const tags of ["x".repeat(256), many.slice(1).join(), "a b", "%F0%9F%8D%AF"]) {
      expect((await send(`${a}?tags=${tags}`, { method: "PUT", body: "1" })).status).toBeLessThan(300)
    }
  })

  it("400: headers that would make a PUT something else", async () => {
    const { send } = open()
    for (const [name, value] of [
      ["If-Match", "x"],
      ["If-None-Match", '*, "x"'],
      ["Content-Range", "bytes 0-1/2"],
      ["Content-Type", "nonsense"],
      ["Content-Type", `text/${"x".repeat(300)}`]
    ] as const) {
      await refusalOf(await send(a, { method: "PUT", body: "1", headers: { [name]: value } }), "bad-header")
    }
  })

  it("400: a limit, or a cursor, that is none", async () => {
    const { send, script } = open()
    for (const limit of ["0", "1001", "x", "1.5", ""]) {
      const problem = await refusalOf(await send(`/api/v1/cache/default?limit=${limit}`), "bad-parameter")
      expect(problem.detail).toMatch(/^limit: /)
    }
    script.fail = () => "BadCursor"
    await refusalOf(await send("/api/v1/cache/default?cursor=x"), "bad-parameter")
  })

  it("413: a value over the limit, whether its length is declared or not", async () => {
    const { send, script } = open({ settings: { maxValueBytes: 10 } })
    expect((await send(a, { method: "PUT", body: "x".repeat(10) })).status).toBe(201)
    await refusalOf(await send(a, { method: "PUT", body: "x".repeat(11) }), "too-large")
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1
        controller.enqueue(new Uint8Array(4))
      }
    })
    await refusalOf(await send(a, { method: "PUT", body: endless }), "too-large")
    expect(pulled).toBeLessThan(10)
    const short = new Blob(["12345", "67890"]).stream()
    expect((await send(a, { method: "PUT", body: short })).status).toBe(204)
    expect(new TextDecoder().decode(script.entries.get("default/a")?.value)).toBe("1234567890")
  })

  it("413: a JSON body over the limit, and a batch that names too many keys", async () => {
    const { sendJson } = open({ settings: { maxValueBytes: 200, maxBatchKeys: 3 } })
    const batch = "/api/v1/cache/default/batch"
    await refusalOf(await sendJson(batch, { get: ["x".repeat(200)] }), "too-large")
    expect((await sendJson(batch, { get: ["a"], set: [{ key: "b", value: 1 }], delete: ["c"] })).status).toBe(200)
    await refusalOf(await sendJson(batch, { get: ["a", "a"], delete: ["c", "d"] }), "too-many-keys")
  })

  it("414: a URL longer than anything that could be meant", async () => {
    const { send } = open()
    await refusalOf(await send(`${a}?x=${"x".repeat(66_000)}`), "url-too-long")
  })

  it("415: a body that is not JSON where JSON is taken, or encoded where bytes are", async () => {
    const { send } = open()
    for (const type of ["text/plain", "application/xml", "application/jsonx", "multipart/form-data"]) {
      const init = { method: "POST", body: '{"tags":["t"]}', headers: { "Content-Type": type } }
      await refusalOf(await send("/api/v1/cache/invalidate", init), "unsupported-media-type")
    }
    const gzip = { method: "PUT", body: "x", headers: { "Content-Encoding": "gzip" } }
    await refusalOf(await send(a, gzip), "unsupported-media-type")
  })

  it("400: what is called JSON and is not", async () => {
    const { send } = open()
    for (const body of ["{", "", "{'a':1}", "nope"]) {
      const init = { method: "POST", body, headers: { "Content-Type": "application/json; charset=utf-8" } }
      await refusalOf(await send("/api/v1/cache/invalidate", init), "bad-json")
    }
    await refusalOf(await send("/api/v1/cache/invalidate", { method: "POST" }), "bad-json")
    const latin1 = {
      method: "POST",
      body: new Uint8Array([0x22, 0xe9, 0x22]),
      headers: { "Content-Type": "application/json" }
    }
    await refusalOf(await send("/api/v1/cache/invalidate", latin1), "bad-json")
  })

  it("422: JSON nested deeper than a stack holds, and not what only looks so", async () => {
    const { send, sendJson } = open()
    const nested = (depth: number) => `{"set":[{"key":"a","value":${"[".repeat(depth)}${"]".repeat(depth)}}]}`
    const post = (body: string) =>
      send("/api/v1/cache/default/batch", { method: "POST", body, headers: { "Content-Type": "application/json" } })
    expect((await post(nested(197))).status).toBe(200)
    for (const depth of [198, 100_000]) await refusalOf(await post(nested(depth)), "invalid-body")
    const texts = ["[".repeat(1000), '"'.repeat(999), "\\".repeat(999)].map((value) => ({ key: "a", value }))
    expect((await sendJson("/api/v1/cache/default/batch", { set: texts })).status).toBe(200)
    const deep = {
      method: "PUT",
      body: "[".repeat(5000) + "]".repeat(5000),
      headers: { "Content-Type": "application/json" }
    }
    await send(a, deep)
    const reply = (await (await sendJson("/api/v1/cache/default/batch", { get: ["a"] })).json()) as {
      get: Array<{ base64: string }>
    }
    expect(atob(reply.get[0]!.base64)).toBe(deep.body)
  })

  it("422: JSON of another shape, saying where", async () => {
    const { sendJson } = open()
    const misfit = async (path: string, body: unknown) =>
      (await refusalOf(await sendJson(path, body), "invalid-body")).errors as Array<{ pointer: string }>
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
    const [long] = await misfit(batch, { get: "x".repeat(10_000) })
    expect(JSON.stringify(long).length).toBeLessThan(400)
  })
})
