import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { type Entry, zeroStamp } from "../../../src/services/store/model/Entry.ts"
import { open, refusalOf } from "../../support/http/httpHarness.ts"
import { runs } from "../../support/runs.ts"

const path = "/api/v1/cache/default/batch"

type Results = { readonly [part in "get" | "set" | "delete"]?: Array<Record<string, unknown>> }

const ask = async (client: ReturnType<typeof open>, body: unknown): Promise<Results> => {
  const response = await client.sendJson(path, body)
  expect(response.status).toBe(200)
  expect(response.headers.get("Content-Type")).toBe("application/json")
  return await response.json()
}

/** Any JSON value that JSON itself carries unchanged, without text that is not Unicode. */
const jsonValue = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown)
  .filter((value) => typeof value !== "string" || value.isWellFormed())

const key = fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter((key) => key !== "." && key !== "..")

describe("a batch", () => {
  it("gives back every JSON value, text and byte string it was given, key by key and in order", async () => {
    const client = open()
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.tuple(
            key,
            fc.oneof(
              fc.record({ value: jsonValue }),
              fc.record({ value: fc.string({ unit: "binary" }) }),
              fc.record({ base64: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")) })
            )
          ),
          { selector: ([key]) => key, maxLength: 20 }
        ),
        async (items) => {
          const set = items.map(([key, value]) => ({ key, ...value }))
          const keys = items.map(([key]) => key)
          const reply = await ask(client, { set, get: [...keys, "absent"], delete: keys })
          expect(reply.delete).toStrictEqual(keys.map((key) => ({ key, status: 204 })))
          expect(reply.set).toStrictEqual(keys.map((key) => ({ key, status: 201, expiresAt: expect.any(String) })))
          expect(reply.get).toHaveLength(keys.length + 1)
          expect(reply.get?.at(-1)).toStrictEqual({ key: "absent", status: 404, found: false, tier: "memory" })
          items.forEach(([key, given], index) => {
            const got = reply.get![index]!
            expect(got).toMatchObject({ key, status: 200, found: true })
            const { base64, value } = got as { base64?: string; value?: unknown }
            if ("value" in given) expect(value).toStrictEqual(given.value)
            else if (base64 !== undefined) expect(base64).toBe(given.base64)
            else expect(Buffer.from(value as string).toString("base64")).toBe(given.base64)
          })
        }
      ),
      { numRuns: runs(100) }
    )
  })

  it("gives text back as text, even where it looks like JSON or base64", async () => {
    const client = open()
    const texts = ["1", "null", '{"a":1}', '"quoted"', "aGk=", "", "\ufeffbom"]
    const reply = await ask(client, {
      set: texts.map((value, index) => ({ key: `k${index}`, value })),
      get: texts.map((_, index) => `k${index}`)
    })
    expect(reply.get?.map(({ value }) => value)).toStrictEqual(texts)
    expect(reply.get?.[0]?.contentType).toBe("text/plain; charset=utf-8")
  })

  it("tells null, which is a value, from absence", async () => {
    const client = open()
    const reply = await ask(client, { set: [{ key: "n", value: null }], get: ["n", "m"] })
    expect(reply.get).toMatchObject([
      { key: "n", found: true, value: null, contentType: "application/json" },
      { key: "m", found: false }
    ])
  })

  it("shares its entries with the single routes", async () => {
    const client = open()
    await client.send("/api/v1/cache/default/bytes", { method: "PUT", body: new Uint8Array([255, 0, 128]) })
    await client.send("/api/v1/cache/default/broken", {
      method: "PUT",
      body: "{not json",
      headers: { "Content-Type": "application/json" }
    })
    await ask(client, {
      set: [
        { key: "json", value: { a: [1] } },
        { key: "own", base64: "/w==", contentType: "x/y" }
      ]
    })
    const reply = await ask(client, { get: ["bytes", "broken", "own"] })
    expect(reply.get).toMatchObject([
      { base64: "/wCA", contentType: "application/octet-stream" },
      { base64: Buffer.from("{not json").toString("base64"), contentType: "application/json" },
      { base64: "/w==", contentType: "x/y" }
    ])
    const json = await client.send("/api/v1/cache/default/json")
    expect(json.headers.get("Content-Type")).toBe("application/json")
    expect(await json.json()).toStrictEqual({ a: [1] })
  })

  it("keeps ttl and tags, and says when an entry ends", async () => {
    const client = open()
    const before = Date.now()
    const reply = await ask(client, { set: [{ key: "a", value: 1, ttl: 60, tags: ["x"] }], get: ["a"] })
    const entry = client.script.entries.get("default/a")!
    expect(entry.tags).toStrictEqual(["x"])
    expect(Math.abs(entry.expiresAt - before - 60_000)).toBeLessThan(5000)
    expect(reply.get?.[0]?.expiresAt).toBe(new Date(entry.expiresAt).toISOString())
  })

  it("answers for each key apart: what fails fails alone", async () => {
    const client = open()
    client.script.fail = (operation, key) =>
      key !== "bad" && operation !== "get" ? undefined : operation === "set" ? "RateLimited" : "Unavailable"
    const reply = await ask(client, {
      set: [
        { key: "good", value: 1 },
        { key: "bad", value: 1 }
      ],
      delete: ["bad", "x"],
      get: ["good", "bad"]
    })
    expect(reply.set).toMatchObject([
      { key: "good", status: 201 },
      { key: "bad", status: 429, problem: { type: "/problems/rate-limited", retryAfter: 1 } }
    ])
    expect(reply.delete).toMatchObject([
      { key: "bad", status: 503, problem: { type: "/problems/not-stored" } },
      { key: "x", status: 204 }
    ])
    expect(reply.get).toMatchObject([
      { key: "good", status: 503, found: false },
      { key: "bad", status: 503, found: false }
    ])
  })

  it("says 202 for what is kept elsewhere for now", async () => {
    const client = open()
    client.script.acknowledge = "buffered"
    const reply = await ask(client, { set: [{ key: "a", value: 1 }], delete: ["b"] })
    expect(reply).toMatchObject({ set: [{ key: "a", status: 202 }], delete: [{ key: "b", status: 202 }] })
  })

  it("of nothing is nothing", async () => {
    expect(await ask(open(), { get: [], set: [], delete: [] })).toStrictEqual({ get: [], set: [], delete: [] })
  })

  it.each([
    [{}, "get"],
    [{ keys: ["a"] }, "keys"],
    [{ get: ["a"], gets: ["b"] }, "gets"],
    [{ set: [{ key: "a", value: 1, ttll: 5 }] }, "ttll"]
  ])("that says %j is refused, and told why", async (body, name) => {
    const client = open()
    const problem = await refusalOf(await client.sendJson(path, body), "invalid-body")
    expect(problem.detail).toContain(name)
    expect(client.script.entries.size).toBe(0)
  })

  it.each([
    "9007199254740993",
    "1e999",
    "[1.0, -0,\n 0.1e-7]",
    '{"b":1,"a":2,"b":3}'
  ])("keeps the JSON %s as it was written", async (written) => {
    const client = open()
    const headers = { "Content-Type": "application/json" }
    const body = `{"set":[{"key":"a","value":${written}}],"get":["a"]}`
    const reply = await client.send(path, { method: "POST", headers, body })
    expect(await reply.text()).toContain(`"found":true,"value":${written},"contentType":"application/json"`)
    expect(await (await client.send("/api/v1/cache/default/a")).text()).toBe(written)
  })

  it.each([
    "text/plain\r\nX: 1",
    "text/plain; a=\u0000",
    "no type",
    "text/plain; n=é",
    `a/${"b".repeat(300)}`
  ])("refuses the content type %j in its row, and keeps the others", async (contentType) => {
    const client = open()
    const reply = await ask(client, {
      set: [
        { key: "a", value: "1" },
        { key: "b", base64: "AA==", contentType },
        { key: "c", value: "text", contentType: "text/css" }
      ]
    })
    expect(reply.set).toMatchObject([
      { key: "a", status: 201 },
      { key: "b", status: 422, problem: { type: "/problems/invalid-body" } },
      { key: "c", status: 201 }
    ])
    expect([...client.script.entries.keys()]).toStrictEqual(["default/a", "default/c"])
    expect((await client.send("/api/v1/cache/default/c")).headers.get("Content-Type")).toBe("text/css")
  })

  it("serves an entry whose type no header can carry as bytes", async () => {
    const client = open()
    await client.send("/api/v1/cache/default/a", { method: "PUT", body: "1", headers: { "Content-Type": "text/css" } })
    client.script.entries.set("default/a", {
      ...client.script.entries.get("default/a")!,
      contentType: "text/plain\r\nX: 1"
    })
    expect((await client.send("/api/v1/cache/default/a")).headers.get("Content-Type")).toBe("application/octet-stream")
    expect((await ask(client, { get: ["a"] })).get).toMatchObject([{ contentType: "application/octet-stream" }])
  })
})

describe("the answer of a batch", () => {
  const mebibyte = 1024 * 1024

  const filled = (bytes: number, byte: number) => {
    const entry: Entry = {
      value: new Uint8Array(bytes).fill(byte),
      contentType: byte < 128 ? "text/plain" : "application/octet-stream",
      tags: [],
      stamp: zeroStamp,
      expiresAt: Number.POSITIVE_INFINITY,
      loadMillis: 0
    }
    return entry
  }

  const size = async (client: ReturnType<typeof open>, get: ReadonlyArray<string>) => {
    const response = await client.sendJson(path, { get })
    const bytes = await response.arrayBuffer()
    const rows = (JSON.parse(new TextDecoder().decode(bytes)) as { get: Array<Record<string, unknown>> }).get
    return { bytes: bytes.byteLength, rows }
  }

  it("names a key once, however often it was asked for", async () => {
    const client = open()
    client.script.entries.set("default/a", filled(150_000, 97))
    const { bytes, rows } = await size(client, Array<string>(1000).fill("a"))
    expect(rows).toHaveLength(1)
    expect(bytes).toBeLessThan(151_000)
  })

  it("stops at 16 MiB of values, and says which keys to ask for again", async () => {
    const client = open()
    const keys = Array.from({ length: 40 }, (_, index) => `k${index}`)
    for (const key of keys) client.script.entries.set(`default/${key}`, filled(mebibyte, 97))
    const { bytes, rows } = await size(client, [...keys, "absent"])
    expect(bytes).toBeLessThan(17 * mebibyte)
    expect(rows.slice(0, 15).every(({ found }) => found === true)).toBe(true)
    expect(rows[39]).toStrictEqual({ key: "k39", found: false, status: 503, again: true })
    expect(rows[40]).toMatchObject({ key: "absent", status: 404, found: false })
    expect(rows).toHaveLength(41)
  })

  it("gives one value of up to 25 MiB, and names what it can never carry", async () => {
    const client = open()
    client.script.entries.set("default/text", filled(25 * mebibyte, 97))
    client.script.entries.set("default/bytes", filled(25 * mebibyte, 255))
    client.script.entries.set("default/small", filled(10, 97))
    const whole = await size(client, ["text", "small"])
    expect(whole.bytes).toBeLessThan(32 * mebibyte)
    expect(whole.rows).toMatchObject([{ found: true }, { found: false, again: true }])
    expect((await size(client, ["bytes", "small"])).rows).toMatchObject([
      { key: "bytes", status: 413, found: false, problem: { type: "/problems/too-large" } },
      { key: "small", found: true }
    ])
  })

  it("is at most 32 MiB, whatever is asked for", async () => {
    const client = open()
    const keys = Array.from({ length: 1000 }, (_, index) => "\u0001".repeat(500) + index)
    for (const [index, key] of keys.entries()) {
      if (index % 3 === 0) client.script.entries.set(`default/${key}`, filled(200_000, 1))
    }
    expect((await size(client, keys)).bytes).toBeLessThan(32 * mebibyte)
  })
})

describe("a row of a batch", () => {
  it("has its own condition, and its own refusal of one that is none", async () => {
    const client = open()
    const reply = await ask(client, {
      delete: ["a", { key: "b", ifMatch: '"x"' }, { key: "c", ifMatch: "x" }],
      set: [
        { key: "d", value: 1, ifNoneMatch: "*" },
        { key: "e", value: 1, ifNoneMatch: "nothing" },
        { key: "f", value: 1 }
      ]
    })
    expect(client.script.conditions).toStrictEqual([
      undefined,
      { ifMatch: '"x"', ifNoneMatch: null },
      { ifMatch: null, ifNoneMatch: "*" },
      undefined
    ])
    expect(reply.delete).toMatchObject([
      { key: "a", status: 204 },
      { key: "b", status: 204 },
      { key: "c", status: 422, problem: { detail: expect.stringContaining("If-Match") } }
    ])
    expect(reply.set).toMatchObject([
      { key: "d", status: 201 },
      { key: "e", status: 422, problem: { detail: expect.stringContaining("If-None-Match") } },
      { key: "f", status: 201 }
    ])
  })

  it("says what a request for its key alone would: that a condition failed, or needs another mode", async () => {
    const client = open()
    client.script.fail = (_, key) => (key === "a" ? "ConditionFailed" : key === "b" ? "NeedsDurableMode" : undefined)
    const reply = await ask(client, {
      set: [{ key: "a", value: 1, ifMatch: "*" }],
      delete: [{ key: "b", ifMatch: "*" }]
    })
    expect(reply.set).toMatchObject([{ status: 412, problem: { type: "/problems/condition-failed" } }])
    expect(reply.delete).toMatchObject([{ status: 422, problem: { type: "/problems/needs-durable-mode" } }])
  })

  it("says when the entry ends, and which one was read", async () => {
    const client = open()
    const before = Date.now()
    const { get, set } = await ask(client, { set: [{ key: "a", value: "x", ttl: 60 }], get: ["a"] })
    const end = Date.parse(set![0]!.expiresAt as string)
    expect(end - before).toBeGreaterThanOrEqual(60_000)
    expect(end - Date.now()).toBeLessThanOrEqual(60_000)
    const alone = await client.send("/api/v1/cache/default/a")
    expect(get).toMatchObject([{ etag: alone.headers.get("ETag"), expiresAt: set![0]!.expiresAt }])
  })
})
