import { env, runInDurableObject } from "cloudflare:test"
import { Hono } from "hono"
import { rateLimiter } from "hono-rate-limiter"
import { describe, expect, it } from "vitest"
import { counter, honoStore, rateLimit } from "../../../src/entry/limits/limits.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"

renewedObject("limits-0")

const { CACHE_DO: objects, CACHE_KV: kv } = env as { CACHE_KV: KVNamespace; CACHE_DO: DurableObjectNamespace }

describe("a rate limit", () => {
  it.each(["objects", "a KV namespace"])("lets exactly so many hits of a window pass, in %s", async (where) => {
    const place = where === "objects" ? objects : kv
    const key = `limit:${where}`
    const results = await Promise.all(
      Array.from({ length: 8 }, () => rateLimit(place, key, { limit: 5, window: 3600 }))
    )
    expect(results.filter(({ allowed }) => allowed).length).toBe(5)
    expect(Math.max(...results.map(({ used }) => used))).toBe(8)
    expect(results[0]!.resetAt % 3_600_000).toBe(0)
    expect((await rateLimit(place, key, { limit: 10, window: 3600, hits: 0 })).remaining).toBe(2)
  })

  it("writes no row for a window that ends within a minute, and nothing to KV", async () => {
    for (let i = 0; i < 10; i++) await rateLimit(objects, "short", { limit: 5, window: 60 })
    await rateLimit(objects, "long", { limit: 5, window: 86_400 })
    const kept = await runInDurableObject(objects.getByName("limits-0"), (_, { storage }) =>
      [...storage.kv.list()].map(([key]) => key).filter((key) => key.startsWith("window:"))
    )
    expect(kept).toContain("window:long")
    expect(kept).not.toContain("window:short")
    expect((await kv.list({ prefix: "window" })).keys).toEqual([])
  })

  it("is hono-rate-limiter's", async () => {
    const app = new Hono()
    app.use(
      rateLimiter({ windowMs: 3_600_000, limit: 2, keyGenerator: () => "hono", store: honoStore(objects) as never })
    )
    app.get("/", (c) => c.text("ok"))
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await app.request("/")).status)
    expect(statuses).toEqual([200, 200, 429])
    const store = honoStore(objects)
    store.init({ windowMs: 3_600_000 })
    await store.resetKey("hono")
    expect((await store.get("hono")).totalHits).toBe(0)
  })
})

describe("a counter", () => {
  it("adds exactly in objects", async () => {
    const visits = counter(objects, "visits")
    const seen = await Promise.all(Array.from({ length: 50 }, () => visits.add()))
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
    expect(await visits.get()).toBe(50)
  })

  it("writes a thousand increments of an isolate to KV as one", async () => {
    const pending: Array<Promise<unknown>> = []
    const context = { waitUntil: (promise: Promise<unknown>) => void pending.push(promise) }
    const visits = counter(kv, "many", { context, flushAfter: 0.01 })
    await kv.put("counter:many:another-isolate", "", { metadata: { total: 7 } })
    for (let i = 0; i < 1000; i++) await visits.add()
    expect(pending.length).toBeLessThan(5)
    await Promise.all(pending)
    expect(await visits.get()).toBe(1007)
    const { keys } = await kv.list<{ total: number }>({ prefix: "counter:many:" })
    expect(keys.map(({ metadata }) => metadata!.total).sort()).toEqual([1000, 7])
  })
})
