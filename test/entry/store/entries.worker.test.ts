import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { utf8Bytes } from "../../../src/services/kv/Kv.ts"
import { open, problemOf } from "../../support/http/httpHarness.ts"
import { runs } from "../../support/runs.ts"

const path = (key: string, collection = "default") => `/api/v1/cache/${collection}/${encodeURIComponent(key)}`

const legalKey = fc
  .string({ unit: "binary", minLength: 1, maxLength: 200 })
  .filter((key) => key !== "." && key !== ".." && utf8Bytes(key) <= 512)

describe("an entry", () => {
  it("is created 201, replaced 204, read back with its type, and gone after 204", async () => {
    const { send } = open()
    const put = await send(path("a"), {
      method: "PUT",
      body: "1",
      headers: { "Content-Type": "text/css; charset=utf-8" }
    })
    expect(put.status).toBe(201)
    expect(put.headers.get("Larder-Acknowledged")).toBe("stored")
    expect((await send(path("a"))).headers.get("Content-Type")).toBe("text/css; charset=utf-8")
    const again = await send(path("a"), { method: "PUT", body: "2", headers: { "Content-Type": "text/css" } })
    expect(again.status).toBe(204)
    const got = await send(path("a"))
    expect(got.status).toBe(200)
    expect(await got.text()).toBe("2")
    expect(got.headers.get("Content-Type")).toBe("text/css")
    expect(got.headers.get("X-Content-Type-Options")).toBe("nosniff")
    expect(got.headers.get("Cache-Control")).toBe("private, no-cache")
    expect((await send(path("a"), { method: "DELETE" })).status).toBe(204)
    const gone = await send(path("a"))
    expect(await problemOf(gone)).toMatchObject({ status: 404, type: "/problems/no-such-entry", instance: path("a") })
    expect(gone.headers.get("Cache-Status")).toBe("Larder; fwd=uri-miss; detail=memory")
    expect((await send(path("a"), { method: "DELETE" })).status).toBe(204)
  })

  it("keeps any bytes under any key that KV itself would take", async () => {
    const { send } = open()
    await fc.assert(
      fc.asyncProperty(legalKey, fc.uint8Array({ maxLength: 300 }), async (key, value) => {
        const put = await send(path(key), { method: "PUT", body: value as Uint8Array<ArrayBuffer> })
        expect([201, 204]).toContain(put.status)
        const got = await send(path(key))
        expect(new Uint8Array(await got.arrayBuffer())).toStrictEqual(value)
        expect((await send(path(key), { method: "DELETE" })).status).toBe(204)
        expect((await send(path(key))).status).toBe(404)
      }),
      { numRuns: runs(200) }
    )
  })

  it("has one key however its slashes are written", async () => {
    const { send, script } = open()
    await send("/api/v1/cache/default/a/b%2Fc//d", { method: "PUT", body: "x" })
    expect([...script.entries.keys()]).toStrictEqual(["default/a/b/c//d"])
    expect(await (await send(path("a/b/c//d"))).text()).toBe("x")
  })

  it("lies in one collection however its name is escaped", async () => {
    const { send, sendJson, script } = open()
    await send("/api/v1/cache/d%65fault/a", { method: "PUT", body: "x" })
    await sendJson("/api/v1/cache/d%65fault/batch", { set: [{ key: "b", value: "x" }] })
    expect([...script.entries.keys()]).toStrictEqual(["default/a", "default/b"])
  })

  it("may be called batch, stats or metadata", async () => {
    const { send } = open()
    for (const key of ["batch", "stats", "metadata", "invalidate"]) {
      expect((await send(path(key), { method: "PUT", body: key })).status).toBe(201)
      expect(await (await send(path(key))).text()).toBe(key)
    }
  })

  it("without a type is bytes, and may be empty", async () => {
    const { send } = open()
    expect((await send(path("empty"), { method: "PUT" })).status).toBe(201)
    const got = await send(path("empty"))
    expect(got.status).toBe(200)
    expect(got.headers.get("Content-Type")).toBe("application/octet-stream")
    expect((await got.arrayBuffer()).byteLength).toBe(0)
  })

  it("lives as long as ?ttl= says, and carries its tags", async () => {
    const { send, script } = open()
    const before = Date.now()
    await send(`${path("a")}?ttl=90&tags=x,y,x,%C3%BC`, { method: "PUT", body: "1" })
    const entry = script.entries.get("default/a")
    expect(entry?.tags).toStrictEqual(["x", "y", "ü"])
    expect(entry!.expiresAt - before).toBeGreaterThanOrEqual(90_000)
    expect(entry!.expiresAt - Date.now()).toBeLessThanOrEqual(90_000)
    const expires = (await send(path("a"))).headers.get("Expires")
    expect(Date.parse(expires!)).toBe(Math.floor(entry!.expiresAt / 1000) * 1000)
  })

  it("answers HEAD with the headers of GET and no body", async () => {
    const { send } = open()
    await send(path("a"), { method: "PUT", body: "12345", headers: { "Content-Type": "text/plain" } })
    const [got, head] = [await send(path("a")), await send(path("a"), { method: "HEAD" })]
    expect(head.status).toBe(200)
    expect(await head.text()).toBe("")
    expect(head.headers.get("Content-Length")).toBe("5")
    for (const name of ["ETag", "Content-Type", "Cache-Status", "Expires"]) {
      const apart = (headers: Headers) => headers.get(name)?.replace(/ttl=\d+/, "ttl")
      expect(apart(head.headers)).toBe(apart(got.headers))
    }
    const absent = await send(path("none"), { method: "HEAD" })
    expect(absent.status).toBe(404)
    expect(await absent.text()).toBe("")
  })

  it("says 202 and how it is kept when its store of record has not taken it yet", async () => {
    const { send, script } = open()
    for (const acknowledge of ["buffered", "outside"] as const) {
      script.acknowledge = acknowledge
      for (const init of [{ method: "PUT", body: "1" }, { method: "DELETE" }]) {
        const response = await send(path("a"), init)
        expect(response.status).toBe(202)
        expect(response.headers.get("Larder-Acknowledged")).toBe(acknowledge)
      }
    }
  })
})

describe("cache headers", () => {
  it("name the tier, the freshness left, the age and the time it took", async () => {
    const { send, script } = open()
    await send(path("a"), { method: "PUT", body: "1" })
    script.tier = "kv"
    const fresh = await send(path("a"))
    expect(fresh.headers.get("Cache-Status")).toMatch(/^Larder; hit; ttl=(30|29); detail=kv$/)
    expect(fresh.headers.get("Age")).toBe("2")
    expect(fresh.headers.get("Server-Timing")).toMatch(/^kv;dur=\d+$/)
    script.staleBy = 2500
    expect((await send(path("a"))).headers.get("Cache-Status")).toBe("Larder; fwd=stale; detail=kv")
    script.tier = "memory"
    expect((await send(path("a"))).headers.get("Cache-Status")).toBe("Larder; hit; ttl=-3; detail=memory")
    script.tier = "kv"
    script.staleBy = Number.NEGATIVE_INFINITY
    expect((await send(path("a"))).headers.get("Cache-Status")).toBe("Larder; hit; detail=kv")
  })

  it("let a client revalidate: 304 without a body while the value is the same", async () => {
    const { send } = open()
    await send(path("a"), { method: "PUT", body: "1" })
    const tag = (await send(path("a"))).headers.get("ETag")!
    expect(tag).toMatch(/^"[\w-]{22}"$/)
    for (const noneMatch of [tag, `W/${tag}`, `"x, y", W/${tag}`, `"x" , ${tag}`, "*"]) {
      for (const method of ["GET", "HEAD"]) {
        const response = await send(path("a"), { method, headers: { "If-None-Match": noneMatch } })
        expect(response.status).toBe(304)
        expect(await response.text()).toBe("")
        expect(response.headers.get("ETag")).toBe(tag)
        expect(response.headers.get("Cache-Status")).toMatch(/^Larder; hit/)
        expect(response.headers.get("Content-Type")).toBeNull()
      }
    }
    expect((await send(path("a"), { headers: { "If-None-Match": '"x", W/"y"' } })).status).toBe(200)
    expect((await send(path("none"), { headers: { "If-None-Match": "*" } })).status).toBe(404)
    await send(path("a"), { method: "PUT", body: "2" })
    expect((await send(path("a"), { headers: { "If-None-Match": tag } })).status).toBe(200)
  })

  it("is answered under If-Match where that names it, and 412 where it does not", async () => {
    const { send } = open()
    await send(path("a"), { method: "PUT", body: "1" })
    const tag = (await send(path("a"))).headers.get("ETag")!
    for (const match of [tag, "*", `"x", ${tag}`]) {
      for (const method of ["GET", "HEAD"]) {
        expect((await send(path("a"), { method, headers: { "If-Match": match } })).status).toBe(200)
      }
    }
    for (const match of ['"x"', `W/${tag}`, '"x", W/"y"']) {
      const refused = await send(path("a"), { headers: { "If-Match": match } })
      expect(await problemOf(refused)).toMatchObject({ status: 412, type: "/problems/condition-failed" })
      expect(refused.headers.get("ETag")).toBe(tag)
    }
    const both = await send(path("a"), { headers: { "If-Match": '"x"', "If-None-Match": tag } })
    expect(both.status).toBe(412)
    expect((await send(path("none"), { headers: { "If-Match": "*" } })).status).toBe(404)
  })

  it("is written and deleted under the conditions that were sent, and a reply says what the entry is then", async () => {
    const { send, script } = open()
    const put = await send(path("a"), { method: "PUT", body: "1", headers: { "If-None-Match": "*" } })
    expect(put.headers.get("ETag")).toBe((await send(path("a"))).headers.get("ETag"))
    await send(path("a"), {
      method: "DELETE",
      headers: { "If-Match": '"x", "y"', "If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:37 GMT" }
    })
    await send(path("a"), { method: "PUT", body: "1", headers: { "If-Modified-Since": "now" } })
    expect(script.conditions).toStrictEqual([
      { ifMatch: null, ifNoneMatch: "*", ifUnmodifiedSince: null },
      { ifMatch: '"x", "y"', ifNoneMatch: null, ifUnmodifiedSince: "Sun, 06 Nov 1994 08:49:37 GMT" },
      undefined
    ])
  })

  it("is left alone where the condition does not hold, nobody can judge it, or it is none", async () => {
    const { send, script } = open()
    for (const method of ["DELETE", "PUT"]) {
      for (const [reason, kind, status] of [
        ["ConditionFailed", "condition-failed", 412],
        ["NeedsDurableMode", "needs-durable-mode", 422],
        ["Unavailable", "not-stored", 503]
      ] as const) {
        script.fail = () => reason
        const refused = await problemOf(await send(path("a"), { method, headers: { "If-Match": '"x"' } }))
        expect(refused).toMatchObject({ status, type: `/problems/${kind}` })
      }
      script.fail = undefined
      for (const [name, value] of [
        ["If-Match", "x"],
        ["If-None-Match", '"x" "y"'],
        ["If-Match", ""]
      ] as const) {
        const refused = await problemOf(await send(path("a"), { method, headers: { [name]: value } }))
        expect(refused).toMatchObject({ status: 400, type: "/problems/bad-header" })
        expect(refused.detail).toContain(name)
      }
    }
    expect(script.entries.size).toBe(0)
  })

  it("says when it was written, and is judged by that where no entity tag is named", async () => {
    const { send } = open()
    await send(path("a"), { method: "PUT", body: "1" })
    const got = await send(path("a"))
    const modified = Date.parse(got.headers.get("Last-Modified")!)
    const at = (seconds: number) => new Date(modified + seconds * 1000).toUTCString()
    const statusOf = async (headers: Record<string, string>) => (await send(path("a"), { headers })).status
    expect(await statusOf({ "If-Modified-Since": at(0) })).toBe(304)
    expect(await statusOf({ "If-Modified-Since": at(-1) })).toBe(200)
    expect(await statusOf({ "If-Modified-Since": at(0), "If-None-Match": '"x"' })).toBe(200)
    expect(await statusOf({ "If-Unmodified-Since": at(0) })).toBe(200)
    expect(await statusOf({ "If-Unmodified-Since": at(-1) })).toBe(412)
    expect(await statusOf({ "If-Unmodified-Since": at(-1), "If-Match": "*" })).toBe(200)
    expect(await statusOf({ "If-Unmodified-Since": "long ago" })).toBe(200)
  })

  it("says its end in the reply to a PUT, to a GET and to one that is not modified", async () => {
    const { send, script } = open()
    const put = await send(`${path("a")}?ttl=60`, { method: "PUT", body: "1" })
    const end = new Date(script.entries.get("default/a")!.expiresAt).toUTCString()
    expect(put.headers.get("Expires")).toBe(end)
    const got = await send(path("a"))
    expect(got.headers.get("Expires")).toBe(end)
    const same = await send(path("a"), { headers: { "If-None-Match": got.headers.get("ETag")! } })
    expect(same.status).toBe(304)
    for (const name of ["Expires", "ETag", "Cache-Control", "Last-Modified", "Age"]) {
      expect(same.headers.get(name), name).not.toBeNull()
      expect(same.headers.get(name)).toBe(got.headers.get(name))
    }
  })

  it.each([
    ["PUT", `${path("a")}?ttll=5`, "ttll"],
    ["PUT", `${path("a")}?ttl=5&tag=x`, "tag"],
    ["GET", `${path("a")}?ttl=5`, "ttl"],
    ["DELETE", `${path("a")}?if-match=x`, "if-match"],
    ["GET", "/api/v1/cache/default?prefx=a", "prefx"],
    ["GET", "/api/v1/cache/stats?verbose", "verbose"],
    ["GET", "/api/v1/ledger?day=1", "day"]
  ])("%s %s is refused, and the parameter named", async (method, url, name) => {
    const { send, script } = open()
    const refused = await problemOf(await send(url, { method }))
    expect(refused).toMatchObject({ status: 400, type: "/problems/bad-parameter" })
    expect(refused.detail).toContain(`"${name}"`)
    expect(script.entries.size).toBe(0)
  })
})
