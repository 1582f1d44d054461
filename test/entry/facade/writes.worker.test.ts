import { env } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import { makeFacades } from "../../../src/entry/facade/namespace.ts"
import type { FacadeOptions } from "../../../src/services/facade/KvFacade.ts"

const { CACHE_KV: namespace } = env as { CACHE_KV: KVNamespace }

/** The namespace with the next calls of a method failing as the platform would. */
const failing = (method: keyof KVNamespace, ...errors: ReadonlyArray<string>) => {
  const left = [...errors]
  return new Proxy(namespace, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as (...args: ReadonlyArray<unknown>) => unknown
      if (name !== method) return value.bind(target)
      return (...args: ReadonlyArray<unknown>) => {
        const error = left.shift()
        return error === undefined ? value.apply(target, [...args]) : Promise.reject(new Error(error))
      }
    }
  })
}

const open = (binding: KVNamespace = namespace, options: FacadeOptions = {}) => {
  const pending: Array<Promise<unknown>> = []
  const context = { waitUntil: (promise: Promise<unknown>) => void pending.push(promise) }
  const facade = makeFacades(1_000_000).facadeOf(binding, options)
  return { facade, context, kv: facade.during(context), settled: () => Promise.allSettled(pending) }
}

describe("writes through the facade", () => {
  it("of one key at once become two at most, of which the last counts", async () => {
    const { facade, kv } = open()
    await Promise.all(Array.from({ length: 20 }, (_, at) => kv.put("busy", `v${at}`)))
    expect(facade.stats().billed.writes).toBe(2)
    expect(facade.stats().asked.writes).toBe(20)
    expect(await namespace.get("busy")).toBe("v19")
    expect(await kv.get("busy")).toBe("v19")
  })

  it("are tried again when KV takes no more than one a second", async () => {
    const { kv } = open(failing("put", "KV PUT failed: 429 Too Many Requests"))
    await kv.put("limited", "x")
    expect(await namespace.get("limited")).toBe("x")
  })

  it("fail with the platform's own error, and leave nothing that was not written", async () => {
    const { kv } = open(failing("put", "KV PUT failed: 500 Internal Server Error"))
    await namespace.put("refused", "before")
    expect(await kv.get("refused")).toBe("before")
    await expect(kv.put("refused", "after")).rejects.toThrow("KV PUT failed: 500 Internal Server Error")
    expect(await kv.get("refused")).toBe("before")
  })

  it("keep what was given, whatever becomes of the caller's buffer", async () => {
    const { kv } = open()
    const buffer = new Uint8Array([1, 2, 3])
    const put = kv.put("copied", buffer)
    buffer.fill(9)
    await put
    expect([...new Uint8Array((await kv.get("copied", "arrayBuffer"))!)]).toEqual([1, 2, 3])
    const read = new Uint8Array((await kv.get("copied", "arrayBuffer"))!)
    read.fill(7)
    expect([...new Uint8Array((await kv.get("copied", "arrayBuffer"))!)]).toEqual([1, 2, 3])
  })

  it("behind are seen at once in gets, bulk gets and lists, and reach KV as their last value", async () => {
    const { context, facade, kv, settled } = open(namespace, { write: "behind", flushAfter: 0 })
    await namespace.put("behind-old", "x")
    await kv.put("behind-a", "1", { metadata: { m: 1 } })
    await kv.put("behind-a", "2", { expirationTtl: 3600 })
    await kv.delete("behind-old")
    expect(facade.stats()).toMatchObject({ buffered: 2, billed: { writes: 0, deletes: 0 } })
    expect(await kv.get("behind-a")).toBe("2")
    expect([...(await kv.get(["behind-a", "behind-old"]))]).toEqual([
      ["behind-a", "2"],
      ["behind-old", null]
    ])
    expect((await kv.list({ prefix: "behind-" })).keys.map(({ name }) => name)).toEqual(["behind-a"])
    await facade.flush(context)
    await settled()
    expect(facade.stats()).toMatchObject({ buffered: 0, billed: { writes: 1, deletes: 1 } })
    expect(await namespace.get("behind-a")).toBe("2")
    expect(await namespace.get("behind-old")).toBe(null)
  })

  it("behind that KV refused wait for the next flush", async () => {
    const { context, facade, kv } = open(failing("put", "KV PUT failed: 500 x"), { write: "behind", flushAfter: 25 })
    await kv.put("again", "1")
    await expect(facade.flush(context)).rejects.toThrow("KV PUT failed: 500 x")
    expect(facade.stats().buffered).toBe(1)
    expect(await kv.get("again")).toBe("1")
    await facade.flush(context)
    expect(await namespace.get("again")).toBe("1")
  })

  it("of what an exclusive namespace holds already are left out", async () => {
    const { facade, kv } = open(namespace, { exclusive: true })
    for (const value of ["x", "x", "y", "y", "x"]) await kv.put("same", value)
    expect(facade.stats().billed.writes).toBe(3)
  })
})

describe("keys that the platform's bulk read loses", () => {
  it("are read one by one", async () => {
    const { kv } = open()
    for (const key of ["1", "42", "__proto__", "a"]) await namespace.put(key, `of ${key}`)
    expect([...(await kv.get(["1", "42", "__proto__", "a", "absent"]))]).toEqual([
      ["1", "of 1"],
      ["42", "of 42"],
      ["__proto__", "of __proto__"],
      ["a", "of a"],
      ["absent", null]
    ])
  })
})

describe("values that a loader makes", () => {
  it("are made once for all who miss, kept as JSON, and not over a write that came meanwhile", async () => {
    const { context, facade, kv, settled } = open()
    let loads = 0
    let finish: (value: string) => void = () => {}
    const load = () => {
      loads += 1
      return new Promise<string>((resolve) => {
        finish = resolve
      })
    }
    const waiting = Promise.all(
      Array.from({ length: 50 }, () => facade.getOrLoad(context, "loaded", load, { ttl: 300 }))
    )
    while (loads === 0) await new Promise((resolve) => setTimeout(resolve))
    finish("made")
    expect(new Set(await waiting)).toEqual(new Set(["made"]))
    await settled()
    expect(loads).toBe(1)
    expect(await namespace.get("loaded", "json")).toBe("made")

    const overtaken = facade.getOrLoad(context, "overtaken", load, { ttl: 300 })
    while (loads === 1) await new Promise((resolve) => setTimeout(resolve))
    await kv.put("overtaken", '"put"')
    finish("late")
    await overtaken
    await settled()
    expect(await namespace.get("overtaken", "json")).toBe("put")
    expect(await facade.getOrLoad(context, "overtaken", load, { ttl: 300 })).toBe("put")
  })

  it("are none where the loader fails, and the caller sees its error", async () => {
    const { context, facade } = open()
    const boom = new Error("upstream is down")
    await expect(facade.getOrLoad(context, "failing", () => Promise.reject(boom), { ttl: 60 })).rejects.toBe(boom)
  })

  it("follow the policy of the key's longest prefix", async () => {
    const policies = { "p:": { write: "behind" }, "p:now:": { write: "through" }, "own:": { exclusive: true } } as const
    const { facade, kv } = open(namespace, { policies })
    await kv.put("p:later", "x")
    await kv.put("p:now:a", "x")
    expect([await namespace.get("p:later"), await namespace.get("p:now:a")]).toEqual([null, "x"])
    for (const key of ["own:a", "shared:a"]) for (let i = 0; i < 2; i++) await kv.put(key, "same")
    expect(facade.stats().billed.writes).toBe(4)
  })

  it("of an Instant namespace carry no metadata of Larder's, and outlast its one write a second", async () => {
    const refusals = Array.from({ length: 5 }, () => "KV PUT failed: 429 Too Many Requests")
    const { context, facade, kv, settled } = open(failing("put", ...refusals), { instant: true })
    await kv.put("instant", "x")
    expect(await namespace.get("instant")).toBe("x")
    expect(await facade.getOrLoad(context, "instant:made", () => ({ a: 1 }), { ttl: 60, staleFor: 60 })).toEqual({
      a: 1
    })
    await settled()
    expect((await namespace.getWithMetadata("instant:made")).metadata).toBe(null)
  })
})
