import { describe, expect, it } from "vitest"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import { open } from "../../support/http/httpHarness.ts"

renewedObject()

const put = (client: ReturnType<typeof open>, key: string, query = "", collection = "default") =>
  client.send(`/api/v1/cache/${collection}/${key}${query}`, { method: "PUT", body: key })

describe("a collection", () => {
  it("is listed page by page, each key with its end and its tags", async () => {
    const client = open()
    for (const key of ["a", "ab", "abc", "b"]) await put(client, key, "?ttl=60&tags=x,y")
    const list = async (query: string) => {
      const response = await client.send(`/api/v1/cache/default${query}`)
      expect(response.status).toBe(200)
      return (await response.json()) as { keys: Array<Record<string, unknown>>; cursor: string | null }
    }
    const first = await list("?prefix=a&limit=2")
    expect(first.keys.map(({ key }) => key)).toStrictEqual(["a", "ab"])
    expect(first.keys[0]).toMatchObject({ tags: ["x", "y"] })
    expect(Date.parse(first.keys[0]?.expiresAt as string)).toBe(client.script.entries.get("default/a")?.expiresAt)
    const second = await list(`?prefix=a&limit=2&cursor=${encodeURIComponent(first.cursor!)}`)
    expect(second).toMatchObject({ keys: [{ key: "abc" }], cursor: null })
    client.script.entries.set("default/z", {
      ...client.script.entries.get("default/b")!,
      expiresAt: Number.POSITIVE_INFINITY
    })
    expect((await list("?prefix=z")).keys).toMatchObject([{ key: "z", expiresAt: null }])
    expect((await client.send("/api/v1/cache/default", { method: "HEAD" })).status).toBe(200)
  })

  it("is cleared 204 when nothing is left, 202 while there is more", async () => {
    const client = open()
    for (const key of ["a", "b", "c"]) await put(client, key)
    await put(client, "kept", "", "notes")
    client.script.clearKeys = 2
    const some = await client.send("/api/v1/cache/default", { method: "DELETE" })
    expect(some.status).toBe(202)
    expect(some.headers.get("Larder-Deleted")).toBe("2")
    expect(await some.json()).toStrictEqual({ deleted: 2, complete: false })
    const rest = await client.send("/api/v1/cache/default", { method: "DELETE" })
    expect(rest.status).toBe(204)
    expect(rest.headers.get("Larder-Deleted")).toBe("1")
    expect([...client.script.entries.keys()]).toStrictEqual(["notes/kept"])
  })

  it("loses the entries with an invalidated tag, and the reply says how long others may still show them", async () => {
    const client = open()
    await put(client, "a", "?tags=x")
    await put(client, "b", "?tags=y")
    const response = await client.sendJson("/api/v1/cache/invalidate", { tags: ["x"] })
    expect(response.status).toBe(200)
    expect(await response.json()).toStrictEqual({ tags: ["x"], boundSeconds: 91 })
    expect((await client.send("/api/v1/cache/default/a")).status).toBe(404)
    expect((await client.send("/api/v1/cache/default/b")).status).toBe(200)
  })
})

describe("figures", () => {
  it("stats: the tiers, and what each collection cost, for nobody to keep", async () => {
    const response = await open().send("/api/v1/cache/stats")
    expect(response.headers.get("Cache-Control")).toBe("no-store")
    const body = (await response.json()) as Record<string, unknown>
    expect(body).toMatchObject({ readPath: { reads: 0 }, memory: { entries: 0 }, byCollection: {} })
  })

  it("metadata: the collections with their policies, and the limits", async () => {
    const body = await (await open().send("/api/v1/cache/metadata")).json()
    expect(body).toMatchObject({
      collections: expect.arrayContaining([
        expect.objectContaining({
          name: "default",
          policy: expect.objectContaining({ ttlSeconds: "forever", memorySeconds: 60, write: "through" })
        }),
        expect.objectContaining({ name: "notes", policy: expect.objectContaining({ ttlSeconds: 3600 }) }),
        expect.objectContaining({ name: "static" })
      ]),
      limits: { valueBytes: 26_214_400, batchKeys: 1000 }
    })
  })

  it("ledger: totals by kind, namespace and collection, and dollars", async () => {
    const client = open()
    const body = (await (await client.send("/api/v1/ledger")).json()) as Record<string, unknown>
    expect(body).toMatchObject({
      total: {
        kv: { reads: 0, writes: 0, deletes: 0, lists: 0 },
        kvCalls: { reads: 0, writes: 0, deletes: 0, lists: 0 },
        durableObject: { requests: 0, rowsRead: 0, rowsWritten: 0 }
      },
      byNamespace: {},
      byCollection: {},
      budget: null,
      usd: { spent: 0, saved: 0 }
    })
  })

  it("health: public, with .status, .cache and .performance", async () => {
    const { answer } = open()
    const response = await answer(new Request("https://larder.test/api/v1/data/health"))
    expect(await response.json()).toMatchObject({
      status: "ok",
      cache: { hitRatio: { memory: 0 } },
      performance: { reads: 0 }
    })
  })

  it("bindings: what is bound, and whether KV works", async () => {
    const client = open({ bindings: { CACHE_KV: true, CACHE_DO: false } })
    const body = await (await client.send("/api/v1/data/bindings")).json()
    expect(body).toMatchObject({
      status: "ok",
      data: {
        critical_bindings_status: { CACHE_KV: "ok", CACHE_DO: "missing" },
        kv_self_test: { ok: true, write: "ok", read: "ok", delete: "ok", sawItsWrite: true }
      }
    })
  })
})
