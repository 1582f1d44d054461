import { createHash, randomBytes } from "node:crypto"
import { Miniflare, type WorkerOptions } from "miniflare"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { shardOf } from "../../../src/services/durable/Shard.ts"
import { bundle, moduleOf } from "../../support/miniflare.ts"

// The Worker as it is wired, in durable mode, inside workerd, with faults between one isolate and the objects.

const shards = 3
const isolates = ["a", "b", "c"] as const
/** `k` is in KV mode. */
type Isolate = (typeof isolates)[number] | "k"

const collections = {
  bare: { memoryTtl: 0, edgeTtl: 0, negativeTtl: 0, fills: "all" },
  cleared: { memoryTtl: 0, edgeTtl: 0, negativeTtl: 0 },
  memory: { memoryTtl: 3600, edgeTtl: 0 }
}

let platform: Miniflare

beforeAll(async () => {
  const script = await bundle(new URL("../../support/durable/faultyWorker.ts", import.meta.url))
  const worker = (name: Isolate): WorkerOptions => ({
    name,
    ...moduleOf(script),
    bindings: {
      API_KEYS: "test",
      FEATURE_FLAG_DO_CACHE: name === "k" ? "off" : "on",
      SHARDS: `${shards}`,
      BREAKER_COOLDOWN: "300 millis",
      COLLECTIONS: JSON.stringify(collections)
    },
    kvNamespaces: { CACHE_KV: "cache", CACHE_DO_KV: "objects" },
    durableObjects: { CACHE_DO: { className: "CacheDurableObject", scriptName: "a", useSQLite: true } }
  })
  platform = new Miniflare({ workers: [...isolates, "k" as const].map(worker), cf: false })
  await platform.ready
})

afterAll(() => platform.dispose())

const ask = async (isolate: Isolate, method: string, path: string, body?: string | Uint8Array) => {
  const worker = await platform.getWorker(isolate)
  const json = typeof body === "string" && body.startsWith("{")
  return worker.fetch(`http://larder.test/${path}`, {
    method,
    headers: { "X-API-KEY": "test", ...(json && { "Content-Type": "application/json" }) },
    ...(body === undefined ? {} : { body })
  })
}

const put = async (isolate: Isolate, id: string, value: string | Uint8Array) =>
  (await ask(isolate, "PUT", `api/v1/cache/${id}`, value)).status

const get = async (isolate: Isolate, id: string) => {
  const response = await ask(isolate, "GET", `api/v1/cache/${id}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes, text: new TextDecoder().decode(bytes) }
}

type Row = { readonly key: string; readonly status: number; readonly found?: boolean; readonly again?: boolean }

const batch = async (isolate: Isolate, asked: object) => {
  const response = await ask(isolate, "POST", "api/v1/cache/bare/batch", JSON.stringify(asked))
  return (await response.json()) as { get: Array<Row>; set: Array<Row>; delete: Array<Row> }
}

const faults = async (isolate: Isolate, set: object = {}) =>
  (await (await ask(isolate, "PUT", "faults", JSON.stringify(set))).json()) as {
    rpcs: Record<string, number>
    puts: Array<string>
  }

const shardOfKey = (key: string) => shardOf(`bare/${key}`, shards)

const all = Array.from({ length: shards }, (_, shard) => `shard-${shard}`)

const keysOf = (name: string, count: number) => Array.from({ length: count }, (_, number) => `${name}${number}`)

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

/** A key of every shard. */
const probes = all.map((_, shard) => keysOf("probe", 100).find((key) => shardOfKey(key) === shard)!)

/** No fault, and no breaker that a test before has left open. */
beforeEach(async () => {
  for (const isolate of isolates) {
    await faults(isolate)
    for (const key of probes) {
      while ((await get(isolate, `bare/${key}`)).status === 503) await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
})

describe("one shard of three away", () => {
  it("leaves every key of the others as it ever was, and says of its own that nobody can tell", async () => {
    const keys = keysOf("one", 30)
    const written = await batch("a", { set: keys.map((key) => ({ key, value: key })) })
    expect(new Set(written.set.map(({ status }) => status))).toStrictEqual(new Set([201]))
    await faults("b", { away: ["shard-1"] })
    const sick = (key: string) => shardOfKey(key) === 1
    for (let times = 0; times < 8; times++) {
      const { get: rows } = await batch("b", { get: keys })
      for (const row of rows) {
        expect(row).toMatchObject(
          sick(row.key) ? { status: 503, found: false, again: true } : { status: 200, found: true }
        )
      }
    }
    for (const key of keys) {
      const { headers, status } = await get("b", `bare/${key}`)
      expect([key, status]).toStrictEqual([key, sick(key) ? 503 : 200])
      expect(headers.has("Retry-After")).toBe(sick(key))
      expect(await put("b", `bare/${key}`, "again")).toBe(sick(key) ? 202 : 204)
    }
    const stats = await (await ask("b", "GET", "api/v1/cache/stats")).json()
    expect(stats).toMatchObject({ shards: [{}, {}], missingShards: ["shard-1"] })
  })
})

describe("an error that the platform calls retryable", () => {
  it("is nothing that a read, a list, a write, an invalidation or a clear shows", async () => {
    expect(await put("a", "bare/retried", "1")).toBe(201)
    const again = () => faults("b", { retryable: 1 })
    await again()
    expect((await get("b", "bare/retried")).status).toBe(200)
    await again()
    expect((await batch("b", { get: ["retried"] })).get[0]).toMatchObject({ status: 200 })
    await again()
    expect((await ask("b", "GET", "api/v1/cache/bare?prefix=retried")).status).toBe(200)
    await again()
    expect(await put("b", "bare/retried", "2")).toBe(204)
    await again()
    expect((await ask("b", "POST", "api/v1/cache/invalidate", JSON.stringify({ tags: ["x"] }))).status).toBe(200)
    await again()
    expect((await ask("b", "DELETE", "api/v1/cache/memory")).status).toBe(204)
    await again()
    expect(await (await ask("b", "GET", "load/bare/retriedload")).json()).toMatchObject({ value: "loaded" })
    expect((await get("c", "bare/retriedload")).text).toBe("loaded")
  })
})

describe("in an outage", () => {
  it("a snapshot answers for what it holds, as stale, and proves no absence", async () => {
    await put("a", "bare/saved", "saved")
    await ask("a", "POST", "api/v1/admin/flush")
    await put("a", "bare/unsaved", "unsaved")
    await faults("c", { away: all })
    const saved = await get("c", "bare/saved")
    expect([saved.status, saved.text]).toStrictEqual([200, "saved"])
    expect(saved.headers.get("Cache-Status")).toBe("Larder; fwd=stale; detail=kv")
    for (const key of ["unsaved", "never"]) {
      const { headers, status } = await get("c", `bare/${key}`)
      expect([status, headers.has("Retry-After")]).toStrictEqual([503, true])
    }
    expect((await ask("c", "GET", "api/v1/cache/bare")).status).toBe(503)
    expect(await (await ask("c", "GET", "load/memory/loaded")).json()).toMatchObject({ value: "loaded" })
    expect((await get("c", "memory/loaded")).status).toBe(503)
    await faults("c")
    expect((await get("b", "memory/loaded")).status).toBe(404)
  })

  it("an isolate's own delete is an absence that it knows", async () => {
    await put("a", "bare/gone", "1")
    await faults("b", { away: all })
    expect((await ask("b", "DELETE", "api/v1/cache/bare/gone")).status).toBe(202)
    expect((await get("b", "bare/gone")).status).toBe(404)
    await faults("b")
    await expect.poll(async () => (await get("b", "bare/gone")).headers.get("Cache-Status")).toContain("durable")
    expect((await get("c", "bare/gone")).status).toBe(404)
  })

  it("a reply to a write says when the entry ends, as it does otherwise", async () => {
    const kept = { default: null, bare: 3600 }
    for (const away of [[], all]) {
      await faults("b", { away })
      for (const [name, life] of Object.entries(kept)) {
        for (const ttl of [undefined, 5, 86_400]) {
          const id = `${name}/ends${ttl}`
          const reply = await ask("b", "PUT", `api/v1/cache/${id}${ttl === undefined ? "" : `?ttl=${ttl}`}`, "1")
          expect(reply.status === 202).toBe(away.length > 0)
          const end = reply.headers.get("Expires")
          const seconds = end === null ? null : (Date.parse(end) - Date.now()) / 1000
          if ((ttl ?? life) === null) expect(seconds, id).toBeNull()
          else expect(Math.abs(seconds! - (ttl ?? life)!), id).toBeLessThan(3)
          expect((await get("b", id)).headers.get("Expires"), id).toBe(end)
        }
      }
      const rows = await ask("b", "POST", "api/v1/cache/default/batch", '{"set": [{"key": "ends", "value": 1}]}')
      const { set } = (await rows.json()) as { set: Array<object> }
      expect(set).toMatchObject([{ expiresAt: null }])
    }
  })

  it("a legal value of 25 MiB with 128 tags of 256 characters is taken, and comes to its shard", async () => {
    const value = new Uint8Array(randomBytes(25 * 1024 * 1024))
    const tags = keysOf("tag", 128).map((tag) => tag.padEnd(256, "."))
    await faults("b", { away: all })
    expect(await put("b", `bare/largest?tags=${tags.join()}`, value)).toBe(202)
    const { puts } = await faults("b")
    expect(puts.filter((key) => key.startsWith("~~out")).length).toBe(2)
    await get("b", "bare/none")
    for (const key of keysOf("any", 9)) await get("b", `bare/${key}`)
    await expect.poll(async () => (await get("c", "bare/largest")).status, { timeout: 30_000 }).toBe(200)
    expect(digest((await get("c", "bare/largest")).bytes)).toBe(digest(value))
    expect((await ask("c", "POST", "api/v1/cache/invalidate", JSON.stringify({ tags: [tags[127]] }))).status).toBe(200)
    expect((await get("c", "bare/largest")).status).toBe(404)
  })

  it("many parked writes follow behind the answers once the objects are back", async () => {
    const keys = keysOf("parked", 40)
    const value = randomBytes(1024 * 1024)
    await faults("b", { away: all })
    for (const [at, key] of keys.entries()) {
      value[0] = at
      expect(await put("b", `bare/${key}`, new Uint8Array(value))).toBe(202)
    }
    await faults("b")
    for (const key of keysOf("any", 9)) expect((await get("b", `bare/${key}`)).status).toBe(404)
    for (const [at, key] of keys.entries()) {
      await expect.poll(async () => (await get("c", `bare/${key}`)).bytes[0], { timeout: 30_000 }).toBe(at)
    }
  })
})

describe("a large value over a slow wire", () => {
  it("is waited for, and makes nothing else wait", async () => {
    const value = new Uint8Array(randomBytes(24 * 1024 * 1024))
    const small = keysOf("small", 6)
    for (const key of small) await put("a", `bare/${key}`, key)
    await faults("b", { bytesPerSecond: 10_000_000 })
    expect(await put("b", "bare/large", value)).toBe(201)
    for (let times = 0; times < 2; times++) {
      const { bytes, status } = await get("b", "bare/large")
      expect([status, digest(bytes)]).toStrictEqual([200, digest(value)])
    }
    for (const key of small) {
      expect((await get("b", `bare/${key}`)).text).toBe(key)
      expect(await put("b", `bare/${key}`, "2")).toBe(204)
    }
  })
})

describe("a batch of writes and deletes", () => {
  it("is one RPC and, in an outage, one outbox value for each shard", async () => {
    const [old, fresh] = [keysOf("old", 200), keysOf("fresh", 200)]
    await batch("a", { set: old.map((key) => ({ key, value: "1" })) })
    await faults("b")
    const changes = { delete: old, set: fresh.map((key) => ({ key, value: "1" })) }
    await batch("b", changes)
    expect((await faults("b", { away: all })).rpcs).toStrictEqual({ apply: shards })
    const outside = await batch("b", changes)
    expect(outside.delete.every(({ status }) => status === 202)).toBe(true)
    const { puts } = await faults("b")
    expect(puts.filter((key) => key.startsWith("~~out/")).length).toBe(shards)
  })
})

describe("a clear", () => {
  it("ends what was written outside before it and comes later, and nothing that was written after it", async () => {
    // The other half is new to the shards: no row of theirs is there that the clear could end.
    for (const key of keysOf("cleared", 3)) await put("a", `cleared/${key}`, "old")
    await faults("b", { away: all })
    for (const key of keysOf("cleared", 6)) expect(await put("b", `cleared/${key}`, "outside")).toBe(202)
    expect((await ask("a", "DELETE", "api/v1/cache/cleared")).status).toBe(204)
    expect(await put("a", "cleared/after", "after")).toBe(201)
    await faults("b")
    for (const key of keysOf("any", 9)) await get("b", `cleared/${key}`)
    await expect
      .poll(async () => (await get("b", "cleared/cleared0")).headers.get("Cache-Status"), { timeout: 30_000 })
      .toContain("durable")
    for (const isolate of isolates) {
      for (const key of keysOf("cleared", 6)) expect((await get(isolate, `cleared/${key}`)).status).toBe(404)
      expect((await get(isolate, "cleared/after")).text).toBe("after")
    }
  })
})

describe("KV mode over a slow namespace", () => {
  it("takes a batch of 250 writes whole, at 150 ms each", async () => {
    await faults("k", { kvMillis: 150 })
    const { set } = await batch("k", { set: keysOf("slow", 250).map((key) => ({ key, value: key })) })
    await faults("k")
    expect(new Set(set.map(({ status }) => status))).toStrictEqual(new Set([201]))
    const { get: rows } = await batch("k", { get: keysOf("slow", 250) })
    expect(rows.every(({ found }) => found)).toBe(true)
  })

  it("fails for the keys that KV never answers for, and for no other", async () => {
    await faults("k", { silentKeys: ["~bare/silent3", "~bare/silent7"] })
    const { set } = await batch("k", { set: keysOf("silent", 20).map((key) => ({ key, value: key })) })
    await faults("k")
    expect(set.flatMap(({ key, status }) => (status === 201 ? [] : [[key, status]]))).toStrictEqual([
      ["silent3", 503],
      ["silent7", 503]
    ])
  })
})
