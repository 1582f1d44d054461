import { env } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import { durable, moveIn } from "../../../src/entry/facade/durableStore.ts"
import { larderStats, makeFacades } from "../../../src/entry/facade/namespace.ts"
import { withLarder } from "../../../src/entry/facade/withLarder.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"

renewedObject()

const { CACHE_DO: objects, CACHE_KV: binding } = env as { CACHE_KV: KVNamespace; CACHE_DO: DurableObjectNamespace }

/** The binding, as another object of the same behaviour. */
const another = (changed: object = {}): KVNamespace =>
  new Proxy(binding, {
    get: (target, name) =>
      Reflect.get(changed, name) ??
      (Reflect.get(target, name) as (...args: ReadonlyArray<unknown>) => unknown).bind(target)
  })

/** A namespace in objects, as another isolate would open it: nothing in memory. */
const open = (name: string) => {
  const store = durable({ objects })
  const facade = makeFacades(1_000_000).facadeOf(another(), { store }, name)
  return { facade, kv: facade.during({ waitUntil: () => {} }) }
}

describe("a namespace in objects", () => {
  it("shows another isolate a write at once, and bills no operation of KV", async () => {
    const [a, b] = [open("at-once"), open("at-once")]
    await a.kv.put("k", "first")
    expect(await b.kv.get("k")).toBe("first")
    await a.kv.delete("k")
    expect(await open("at-once").kv.get("k")).toBe(null)
    expect(a.facade.stats().billed).toMatchObject({ writes: 0, deletes: 0 })
    expect(b.facade.stats().billed).toEqual({ reads: 0, writes: 0, deletes: 0, lists: 0 })
    expect(a.facade.stats().durableObject.requests).toBe(2)
  })

  it("keeps bytes, metadata and expirations", async () => {
    const { kv } = open("kept")
    const bytes = new Uint8Array([0, 255, 1])
    await kv.put("b", bytes, { metadata: { a: [1] }, expirationTtl: 120 })
    const other = open("kept").kv
    const found = await other.getWithMetadata("b", "arrayBuffer")
    expect([...new Uint8Array(found.value!)]).toEqual([...bytes])
    expect(found.metadata).toEqual({ a: [1] })
    const [listed] = (await other.list()).keys
    expect(listed).toMatchObject({ name: "b", metadata: { a: [1] } })
    expect(listed!.expiration! - Date.now() / 1000).toBeLessThanOrEqual(120)
    expect(listed!.expiration! - Date.now() / 1000).toBeGreaterThan(100)
  })

  it("lists by prefix, page by page, and no other namespace's keys", async () => {
    const { kv } = open("pages")
    await open("pages-2").kv.put("a1", "x")
    await Promise.all(["a1", "a2", "a3", "b1"].map((key) => kv.put(key, key)))
    const other = open("pages").kv
    const first = (await other.list({ prefix: "a", limit: 2 })) as { keys: Array<{ name: string }>; cursor: string }
    expect(first.keys.map(({ name }) => name)).toEqual(["a1", "a2"])
    const second = await other.list({ prefix: "a", limit: 2, cursor: first.cursor })
    expect(second.keys.map(({ name }) => name)).toEqual(["a3"])
    expect(second.list_complete).toBe(true)
  })

  it("takes streams and what the platform coerces, and refuses what would go past the objects", async () => {
    const { kv } = open("coerced")
    await kv.put("stream", new Response("flow").body!)
    await kv.put("number", 7 as never)
    const other = open("coerced").kv
    expect(await other.get(["stream", "number"])).toEqual(
      new Map([
        ["stream", "flow"],
        ["number", "7"]
      ])
    )
    await expect(kv.put("k", "v", { expirationTtl: "60" } as never)).rejects.toThrow("in durable mode")
    await expect(kv.get("")).rejects.toThrow("Key name cannot be empty")
    expect(await binding.get("number")).toBe(null)
  })

  it("takes over what a namespace holds, a page at a time", async () => {
    await binding.put("moved:a", "A", { metadata: { m: 1 } })
    const raw = another({ list: () => binding.list({ prefix: "moved:" }) })
    expect(await moveIn(raw, { objects, name: "moved" })).toEqual({ copied: 1, cursor: undefined })
    expect(await open("moved").kv.getWithMetadata("moved:a")).toMatchObject({ value: "A", metadata: { m: 1 } })
  })

  it("is found in the environment by name, or the Worker says what is missing", async () => {
    const worker = withLarder<ExportedHandler<{ KV: KVNamespace }>>(
      { fetch: async (_, { KV }) => Response.json(await KV.get("none").then(() => larderStats(KV).billed)) },
      { bindings: ["KV"], store: durable() }
    )
    const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} } as unknown as ExecutionContext
    const answer = (bindings: object) => worker.fetch!(new Request("http://w") as never, bindings as never, context)
    const bound = { KV: another(), CACHE_DO: objects }
    expect(await (await answer(bound)).json()).toEqual({ reads: 0, writes: 0, deletes: 0, lists: 0 })
    expect(() => answer({ KV: another() })).toThrow("CACHE_DO is no binding of Durable Objects")
  })
})
