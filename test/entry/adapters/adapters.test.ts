import { cachified, totalTtl } from "@epic-web/cachified"
import { createStorage } from "unstorage"
import { describe, expect, it } from "vitest"
import { cachifiedCache } from "../../../src/entry/adapters/cachified.ts"
import { larderDriver } from "../../../src/entry/adapters/unstorage.ts"
import { useLocalNamespace } from "../../support/facade/localNamespace.ts"

const namespace = useLocalNamespace()

describe("a driver for unstorage", () => {
  const storageOf = (base: string) => createStorage({ driver: larderDriver(namespace.kv(), { base }) })

  it("sets, gets, lists and removes values of every kind", async () => {
    const storage = storageOf("kinds")
    for (const [key, value] of Object.entries({ s1: "text", n: 7, o: { a: [1] }, "f:t": true })) {
      await storage.setItem(key, value as never)
      expect(await storage.getItem(key)).toEqual(value)
    }
    expect(await storage.hasItem("s1")).toBe(true)
    expect(await storage.hasItem("none")).toBe(false)
    expect(await storage.getItem("none")).toBe(null)
    expect((await storage.getKeys()).sort()).toEqual(["f:t", "n", "o", "s1"])
    expect(await storage.getKeys("f")).toEqual(["f:t"])
    await storage.removeItem("s1")
    expect(await storage.hasItem("s1")).toBe(false)
  })

  it("keeps raw bytes", async () => {
    const storage = storageOf("raw")
    await storage.setItemRaw("bytes.bin", new Uint8Array([1, 2, 3]))
    expect([...((await storage.getItemRaw("bytes.bin")) as Uint8Array)]).toEqual([1, 2, 3])
  })

  it("gets many at once", async () => {
    const storage = storageOf("many")
    await storage.setItems([
      { key: "a", value: "1" },
      { key: "b", value: "2" }
    ])
    expect(await storage.getItems(["a", "b", "c"])).toEqual([
      { key: "a", value: 1 },
      { key: "b", value: 2 },
      { key: "c", value: null }
    ])
  })

  it("clears what is its own, or under one base", async () => {
    const [a, b] = [storageOf("one"), storageOf("two")]
    await Promise.all([a.setItem("x:1", 1), a.setItem("y:1", 1), b.setItem("x:1", 1)])
    await larderDriver(namespace.kv(), { base: "one" }).clear("x")
    expect(await a.getKeys()).toEqual(["y:1"])
    await a.clear()
    expect(await a.getKeys()).toEqual([])
    expect(await b.getKeys()).toEqual(["x:1"])
  })

  it("passes a ttl on, at least KV's minute", async () => {
    const storage = storageOf("ttl")
    await storage.setItem("short", "x", { ttl: 5 })
    const { keys } = await namespace.plain().list({ prefix: "ttl:" })
    expect(keys[0]!.expiration! - Date.now() / 1000).toBeGreaterThan(55)
  })
})

describe("a cache for cachified", () => {
  const cache = () => cachifiedCache(namespace.kv(), { prefix: "c:" })

  it("keeps a fresh value, and asks for another once it has ended", async () => {
    let made = 0
    const ask = (ttl: number) =>
      cachified({ cache: cache(), key: "fresh", ttl, swr: 0, getFreshValue: () => ({ made: ++made }) })
    expect(await ask(60_000)).toEqual({ made: 1 })
    expect(await ask(60_000)).toEqual({ made: 1 })
    await cache().set("fresh", { value: { made: 0 }, metadata: { createdTime: Date.now() - 10, ttl: 5, swr: 0 } })
    expect(await ask(60_000)).toEqual({ made: 2 })
  })

  it("serves stale while it refreshes", async () => {
    const stale = { value: "old", metadata: { createdTime: Date.now() - 1000, ttl: 1, swr: 60_000 } }
    await cache().set("stale", stale)
    expect(totalTtl(stale.metadata)).toBe(60_001)
    const ask = () => cachified({ cache: cache(), key: "stale", ttl: 60_000, swr: 60_000, getFreshValue: () => "new" })
    expect(await ask()).toBe("old")
    await expect.poll(ask).toBe("new")
  })

  it("deletes, and keeps for ever what has no ttl", async () => {
    await cache().set("ever", { value: 1, metadata: { createdTime: Date.now(), ttl: null, swr: 0 } })
    const { keys } = await namespace.plain().list({ prefix: "c:ever" })
    expect(keys).toEqual([{ name: "c:ever" }])
    await cache().delete("ever")
    expect(await cache().get("ever")).toBe(null)
  })
})
