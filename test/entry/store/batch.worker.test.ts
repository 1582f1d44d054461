import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { open } from "../../support/http/httpHarness.ts"

const path = "/api/v1/cache/default/batch"

type Results = { readonly [part in "get" | "set" | "delete"]?: Array<Record<string, unknown>> }

const ask = async (door: ReturnType<typeof open>, body: unknown): Promise<Results> => {
  const response = await door.sendJson(path, body)
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
    const door = open()
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
          const reply = await ask(door, { set, get: [...keys, "absent"], delete: keys })
          expect(reply.delete).toStrictEqual(keys.map((key) => ({ key, status: 204 })))
          expect(reply.set).toStrictEqual(keys.map((key) => ({ key, status: 201 })))
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
      { numRuns: 100 }
    )
  })

  it("gives text back as text, even where it looks like JSON or base64", async () => {
    const door = open()
    const texts = ["1", "null", '{"a":1}', '"quoted"', "aGk=", "", "\ufeffbom"]
    const reply = await ask(door, {
      set: texts.map((value, index) => ({ key: `k${index}`, value })),
      get: texts.map((_, index) => `k${index}`)
    })
    expect(reply.get?.map(({ value }) => value)).toStrictEqual(texts)
    expect(reply.get?.[0]?.contentType).toBe("text/plain; charset=utf-8")
  })

  it("tells null, which is a value, from absence", async () => {
    const door = open()
    const reply = await ask(door, { set: [{ key: "n", value: null }], get: ["n", "m"] })
    expect(reply.get).toMatchObject([
      { key: "n", found: true, value: null, contentType: "application/json" },
      { key: "m", found: false }
    ])
  })

  it("shares its entries with the single routes", async () => {
    const door = open()
    await door.send("/api/v1/cache/default/bytes", { method: "PUT", body: new Uint8Array([255, 0, 128]) })
    await door.send("/api/v1/cache/default/broken", {
      method: "PUT",
      body: "{not json",
      headers: { "Content-Type": "application/json" }
    })
    await ask(door, {
      set: [
        { key: "json", value: { a: [1] } },
        { key: "own", base64: "/w==", contentType: "x/y" }
      ]
    })
    const reply = await ask(door, { get: ["bytes", "broken", "own"] })
    expect(reply.get).toMatchObject([
      { base64: "/wCA", contentType: "application/octet-stream" },
      { base64: Buffer.from("{not json").toString("base64"), contentType: "application/json" },
      { base64: "/w==", contentType: "x/y" }
    ])
    const json = await door.send("/api/v1/cache/default/json")
    expect(json.headers.get("Content-Type")).toBe("application/json")
    expect(await json.json()).toStrictEqual({ a: [1] })
  })

  it("keeps ttl and tags, and says when an entry ends", async () => {
    const door = open()
    const before = Date.now()
    const reply = await ask(door, { set: [{ key: "a", value: 1, ttl: 60, tags: ["x"] }], get: ["a"] })
    const entry = door.script.entries.get("default/a")!
    expect(entry.tags).toStrictEqual(["x"])
    expect(Math.abs(entry.expiresAt - before - 60_000)).toBeLessThan(5000)
    expect(reply.get?.[0]?.expiresAt).toBe(new Date(entry.expiresAt).toISOString())
  })

  it("answers for each key apart: what fails fails alone", async () => {
    const door = open()
    door.script.fail = (operation, key) =>
      key !== "bad" && operation !== "get" ? undefined : operation === "set" ? "RateLimited" : "Unavailable"
    const reply = await ask(door, {
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
    const door = open()
    door.script.acknowledge = "buffered"
    const reply = await ask(door, { set: [{ key: "a", value: 1 }], delete: ["b"] })
    expect(reply).toStrictEqual({ set: [{ key: "a", status: 202 }], delete: [{ key: "b", status: 202 }] })
  })

  it("of nothing is nothing", async () => {
    expect(await ask(open(), {})).toStrictEqual({})
    expect(await ask(open(), { get: [], set: [], delete: [] })).toStrictEqual({ get: [], set: [], delete: [] })
  })
})
