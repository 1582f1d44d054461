import { Miniflare, type WorkerOptions } from "miniflare"
import { afterAll, beforeAll, expect, it } from "vitest"
import { shardOf } from "../../../src/services/durable/Shard.ts"
import { bundle, moduleOf } from "../../support/miniflare.ts"

// Workers of two to eight shards each, as they are wired, inside workerd, with each shard out of reach in turn.

const counts = [2, 3, 4, 5, 6, 7, 8]

let platform: Miniflare

beforeAll(async () => {
  const script = await bundle(new URL("../../support/durable/faultyWorker.ts", import.meta.url))
  const worker = (count: number): WorkerOptions => ({
    name: `of-${count}`,
    ...moduleOf(script),
    bindings: {
      API_KEYS: "test",
      FEATURE_FLAG_DO_CACHE: "on",
      SHARDS: `${count}`,
      BREAKER_COOLDOWN: "100 millis",
      COLLECTIONS: JSON.stringify({ bare: { memoryTtl: 0, edgeTtl: 0, negativeTtl: 0 } })
    },
    kvNamespaces: { CACHE_KV: `cache-${count}`, CACHE_DO_KV: `objects-${count}` },
    durableObjects: { CACHE_DO: { className: "CacheDurableObject", useSQLite: true } }
  })
  platform = new Miniflare({ workers: counts.map(worker), cf: false })
  await platform.ready
})

afterAll(() => platform.dispose())

type Row = { readonly key: string; readonly status: number; readonly value?: string; readonly tier?: string }

it.each(counts)("with any one of %i shards away, every key of the others reads and writes as ever", async (count) => {
  const worker = await platform.getWorker(`of-${count}`)
  const ask = (method: string, path: string, body?: string) =>
    worker.fetch(`http://larder.test/${path}`, {
      method,
      headers: {
        "X-API-KEY": "test",
        "Content-Type": path.includes("cache/bare/key") ? "text/plain" : "application/json"
      },
      ...(body === undefined ? {} : { body })
    })
  const batch = async (asked: object) => {
    const response = await ask("POST", "api/v1/cache/bare/batch", JSON.stringify(asked))
    return (await response.json()) as { readonly get: ReadonlyArray<Row>; readonly set: ReadonlyArray<Row> }
  }
  const keys = Array.from({ length: 4 * count }, (_, number) => `key${number}`)
  const { set } = await batch({ set: keys.map((key) => ({ key, value: "0" })) })
  expect(set.every(({ status }) => status === 201)).toBe(true)
  for (let away = 0; away < count; away++) {
    await ask("PUT", "faults", JSON.stringify({ away: [`shard-${away}`] }))
    const isAway = (key: string) => shardOf(`bare/${key}`, count) === away
    // More often than it takes to open a breaker.
    for (let times = 0; times < 7; times++) {
      const value = `${away}.${times}`
      const { get, set } = await batch({ get: keys, set: keys.map((key) => ({ key, value })) })
      for (const [index, key] of keys.entries()) {
        expect(set[index]).toStrictEqual({ ...set[index], key, status: isAway(key) ? 202 : 204 })
        expect(get[index]).toMatchObject({ key, status: 200, value })
      }
      const key = keys.find((key) => !isAway(key))!
      expect((await ask("GET", `api/v1/cache/bare/${key}`)).status).toBe(200)
      expect((await ask("PUT", `api/v1/cache/bare/${key}`, value)).status).toBe(204)
    }
    // What was parked comes to its shard with the calls that follow.
    await ask("PUT", "faults", "{}")
    await expect
      .poll(async () => (await batch({ get: keys })).get.map(({ tier, value }) => [tier, value]), { timeout: 30_000 })
      .toStrictEqual(keys.map(() => ["durable", `${away}.6`]))
  }
})
