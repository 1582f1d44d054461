import { createHash } from "node:crypto"
import { describe, expect, it, vi } from "vitest"
import { incrementalCache, tagCache } from "../../../src/entry/adapters/opennext.ts"
import { useLocalNamespace } from "../../support/facade/localNamespace.ts"

const namespace = useLocalNamespace()
const context = () => ({
  env: { NEXT_INC_CACHE_KV: namespace.plain(), NEXT_TAG_CACHE_KV: namespace.plain() },
  ctx: { waitUntil: (promise: Promise<unknown>) => void promise.catch(() => {}) }
})

const keyOf = (key: string, type: string) =>
  `incremental-cache/b1/${createHash("sha256").update(key).digest("hex")}.${type}`

describe("OpenNext's incremental cache", () => {
  const cache = incrementalCache({ buildId: "b1", context })

  it("finds what the build put under OpenNext's own keys", async () => {
    await namespace.plain().put(keyOf("/built", "cache"), JSON.stringify({ type: "page", html: "x" }))
    expect(await cache.get("/built")).toEqual({ value: { type: "page", html: "x" } })
  })

  it("sets, gets by kind, and deletes", async () => {
    await cache.set("/page", { type: "page" })
    await cache.set("/page", { kind: "FETCH" }, "fetch")
    expect(await cache.get("/page")).toMatchObject({ value: { type: "page" } })
    expect(await cache.get("/page", "fetch")).toMatchObject({ value: { kind: "FETCH" } })
    expect(JSON.parse((await namespace.plain().get(keyOf("/page", "cache")))!).lastModified).toBeGreaterThan(0)
    await cache.delete("/page")
    expect(await cache.get("/page")).toBe(null)
  })

  it("never fails a page", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {})
    const none = incrementalCache({ context: () => ({ env: {}, ctx: { waitUntil: () => {} } }) })
    expect(await none.get("/x")).toBe(null)
    await none.set("/x", {})
    expect(log).toHaveBeenCalledTimes(2)
    log.mockRestore()
  })
})

describe("OpenNext's tag cache", () => {
  const tags = tagCache({ buildId: "b1", context })

  it("tells when a tag was last revalidated, and what that outdates", async () => {
    const before = Date.now() - 1000
    expect(await tags.getLastRevalidated(["t1", "t2"])).toBe(0)
    await tags.writeTags(["t1"])
    expect(await tags.getLastRevalidated(["t1", "t2"])).toBeGreaterThan(before)
    expect(await tags.hasBeenRevalidated(["t1"], before)).toBe(true)
    expect(await tags.hasBeenRevalidated(["t1"], Date.now() + 1000)).toBe(false)
    expect(await tags.hasBeenRevalidated(["t2"], before)).toBe(false)
  })

  it("tells stale from expired", async () => {
    const now = Date.now()
    await tags.writeTags([
      { tag: "s", stale: now, expire: now + 60_000 },
      { tag: "e", stale: now - 100, expire: now - 50 }
    ])
    expect(await tags.isStale(["s"], now - 1000)).toBe(true)
    expect(await tags.hasBeenRevalidated(["s"], now - 1000)).toBe(false)
    expect(await tags.hasBeenRevalidated(["e"], now - 1000)).toBe(true)
    expect(await tags.isStale(["e"], now - 1000)).toBe(false)
  })

  it("reads what OpenNext itself wrote before 1.19: a number", async () => {
    await namespace.plain().put("b1/old", "1000")
    expect(await tags.getLastRevalidated(["old"])).toBe(1000)
  })
})
