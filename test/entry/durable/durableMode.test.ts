import { Miniflare, type WorkerOptions } from "miniflare"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundle, moduleOf } from "../../support/miniflare.ts"

// The Worker as it is wired, in durable mode, inside workerd: three isolates before the same objects.

const shards = 2
const isolates = ["a", "b", "c"] as const
type Isolate = (typeof isolates)[number]

const collections = {
  bare: { memoryTtl: 0, edgeTtl: 0, negativeTtl: 0 },
  edge: { memoryTtl: 0, edgeTtl: 3600 },
  memory: { memoryTtl: 3600, edgeTtl: 0 },
  window: { memoryTtl: 20, edgeTtl: 5, jitter: 0 }
}

let platform: Miniflare

beforeAll(async () => {
  const script = await bundle(new URL("../../support/durable/wiredWorker.ts", import.meta.url))
  const worker = (name: Isolate): WorkerOptions => ({
    name,
    ...moduleOf(script),
    bindings: {
      API_KEYS: "test",
      FEATURE_FLAG_DO_CACHE: "on",
      SHARDS: `${shards}`,
      COLLECTIONS: JSON.stringify(collections)
    },
    kvNamespaces: { CACHE_KV: "cache", CACHE_DO_KV: "objects" },
    durableObjects: { CACHE_DO: { className: "CacheDurableObject", scriptName: "a", useSQLite: true } }
  })
  platform = new Miniflare({ workers: isolates.map(worker), cf: false })
  await platform.ready
})

afterAll(() => platform.dispose())

const ask = async (isolate: Isolate, method: string, path: string, body?: string) => {
  const worker = await platform.getWorker(isolate)
  const response = await worker.fetch(`http://larder.test/${path}`, {
    method,
    headers: { "X-API-KEY": "test", ...(body?.startsWith("{") && { "Content-Type": "application/json" }) },
    ...(body === undefined ? {} : { body })
  })
  const text = await response.text()
  return { status: response.status, text, tier: /detail=(\w+)/.exec(response.headers.get("Cache-Status") ?? "")?.[1] }
}

const put = (isolate: Isolate, id: string, value: string) => ask(isolate, "PUT", `api/v1/cache/${id}`, value)

/** What an isolate reads, and which tier told it. */
const get = async (isolate: Isolate, id: string) => {
  const { status, text, tier } = await ask(isolate, "GET", `api/v1/cache/${id}`)
  return [status === 404 ? undefined : text, tier]
}

const flush = async () =>
  (JSON.parse((await ask("a", "POST", "api/v1/admin/flush")).text) as { flushed: number }).flushed

const overload = async (isolate: Isolate, on: boolean) =>
  JSON.parse((await ask(isolate, "GET", `overload?on=${on}`)).text) as { calls: number; loads: number }

/** Keys enough to lie in every shard. */
const keysOf = (name: string) => Array.from({ length: 8 }, (_, number) => `bare/${name}${number}`)

describe("an acknowledged write", () => {
  it("is seen by every isolate at once where no tier stands in front", async () => {
    for (let value = 0; value < 5; value++) {
      const writer = isolates[value % isolates.length]!
      expect((await put(writer, "bare/seen", `${value}`)).status).toBe(value === 0 ? 201 : 204)
      for (const reader of isolates) expect(await get(reader, "bare/seen")).toStrictEqual([`${value}`, "durable"])
    }
    expect((await ask("b", "DELETE", "api/v1/cache/bare/seen")).status).toBe(204)
    for (const reader of isolates) expect((await get(reader, "bare/seen"))[0]).toBeUndefined()
  })

  it("shows in what the shards tell of themselves", async () => {
    type Shards = { shards: ReadonlyArray<{ entries: number; reads: number; rowsWritten: number; conflicts: number }> }
    const shards = async () => (JSON.parse((await ask("c", "GET", "api/v1/cache/stats")).text) as Shards).shards
    const sum = (some: Shards["shards"], what: "entries" | "reads" | "rowsWritten" | "conflicts") =>
      some.reduce((total, shard) => total + shard[what], 0)
    const before = await shards()
    for (const id of keysOf("told")) {
      await put("a", id, "told")
      await get("b", id)
    }
    const after = await shards()
    const more = (what: Parameters<typeof sum>[1]) => sum(after, what) - sum(before, what)
    expect(after.length).toBe(before.length)
    expect([more("entries"), more("reads"), more("conflicts")]).toStrictEqual([8, 8, 0])
    expect(more("rowsWritten")).toBeGreaterThanOrEqual(8)
  })

  it("is seen by other isolates within the window of memory and edge where these stand in front", async () => {
    const read = async (later = 0) => {
      const { value, tier } = JSON.parse((await ask("a", "GET", `read/window/late?later=${later}`)).text)
      return [value, tier]
    }
    await put("b", "window/late", "old")
    expect((await read())[0]).toBe("old")
    await put("b", "window/late", "new")
    expect(await read()).toStrictEqual(["old", "memory"])
    expect(await read(15_000)).toStrictEqual(["old", "memory"])
    expect(await read(20_001)).toStrictEqual(["new", "durable"])
  })
})

describe("32 cold readers of one key, in as many requests to three isolates", () => {
  it("are answered by one run of the loader", async () => {
    for (let trial = 0; trial < 3; trial++) {
      const answers = await Promise.all(
        Array.from({ length: 32 }, async (_, reader) => {
          const { text } = await ask(isolates[reader % 3]!, "GET", `load/bare/cold${trial}?as=${reader}&ms=200`)
          return JSON.parse(text) as { value: string; ran: boolean }
        })
      )
      expect(answers.filter(({ ran }) => ran)).toHaveLength(1)
      expect(new Set(answers.map(({ value }) => value)).size).toBe(1)
    }
  })
})

describe("a load", () => {
  it("that a put of another isolate has overtaken is answered to who waits, and kept nowhere", async () => {
    const { loads } = await overload("a", false)
    const loading = ask("a", "GET", "load/memory/overtaken?as=loaded&ms=500")
    await expect.poll(async () => (await overload("a", false)).loads).toBe(loads + 1)
    expect((await put("b", "memory/overtaken", "put")).status).toBe(201)
    expect(JSON.parse((await loading).text)).toMatchObject({ value: "loaded", ran: true })
    const after = (await ask("a", "GET", "read/memory/overtaken")).text
    expect(JSON.parse(after)).toMatchObject({ value: "put", tier: "durable" })
    expect(await get("c", "memory/overtaken")).toStrictEqual(["put", "durable"])
  })
})

describe("an object", () => {
  it("that was evicted comes back with its rows and its statistics", async () => {
    const keys = keysOf("evicted")
    for (const key of keys) await put("a", key, "1")
    for (const key of keys) await get("a", key)
    await flush()
    const stats = async () => {
      const told = JSON.parse((await ask("a", "GET", "stats")).text) as ReadonlyArray<Record<string, number>>
      return told.map(({ rowsRead, ...kept }) => ({ ...kept, rowsRead: rowsRead! > 0 }))
    }
    const before = await stats()
    for (let shard = 0; shard < shards; shard++) await ask("a", "GET", `evict?shard=${shard}`)
    expect(await stats()).toStrictEqual(before)
    for (const key of keys) expect(await get("b", key)).toStrictEqual(["1", "durable"])
    expect(await flush()).toBe(0)
  })

  it("saves on its alarm what has changed since the last one, and nothing else", async () => {
    await flush()
    const saved = async () => {
      const kv = await platform.getKVNamespace("CACHE_DO_KV", "a")
      return Promise.all(
        Array.from({ length: shards }, async (_, shard) =>
          Buffer.from((await kv.get(`~~snap/shard-${shard}`, "arrayBuffer")) ?? new ArrayBuffer(0)).toString("base64")
        )
      )
    }
    const before = await saved()
    for (let shard = 0; shard < shards; shard++) await ask("a", "GET", `fire?shard=${shard}`)
    expect(await saved()).toStrictEqual(before)
    for (const key of keysOf("saved")) await put("a", key, "1")
    for (let shard = 0; shard < shards; shard++) await ask("a", "GET", `fire?shard=${shard}`)
    const after = await saved()
    expect(after.filter((value, shard) => value !== before[shard])).toHaveLength(shards)
    expect(await flush()).toBe(0)
  })
})

describe("a cron", () => {
  it("costs no KV operation while the flag stays", async () => {
    const worker = await platform.getWorker("b")
    const fire = async () => {
      expect(await worker.scheduled({ cron: "*/5 * * * *" })).toMatchObject({ outcome: "ok" })
    }
    const spent = async () => {
      const { total } = JSON.parse((await ask("b", "GET", "api/v1/ledger")).text)
      return total as { readonly kvCalls: object; readonly durableObject: { readonly requests: number } }
    }
    for (let cron = 0; cron < 3; cron++) await fire()
    const before = await spent()
    for (let cron = 0; cron < 3; cron++) await fire()
    const after = await spent()
    expect(after.kvCalls).toStrictEqual(before.kvCalls)
    expect(after.durableObject.requests).toBeGreaterThanOrEqual(before.durableObject.requests + 3)
  })
})

describe("objects that are overloaded", () => {
  it("are not asked twice; reads come from memory, the edge and the snapshot, and writes go to the outbox", async () => {
    for (const id of ["memory/kept", "edge/kept", "bare/kept"]) await put("a", id, "saved")
    await flush()
    const { calls } = await overload("a", true)
    expect(await get("a", "memory/kept")).toStrictEqual(["saved", "memory"])
    expect(await get("a", "edge/kept")).toStrictEqual(["saved", "edge"])
    expect((await overload("a", true)).calls).toBe(calls)
    expect(await get("a", "bare/kept")).toStrictEqual(["saved", "kv"])
    expect((await overload("a", true)).calls).toBe(calls + 1)
    expect((await put("a", "bare/kept", "outside")).status).toBe(202)
    expect((await overload("a", true)).calls).toBe(calls + 2)
    expect(await get("a", "bare/kept")).toStrictEqual(["outside", "kv"])
    expect(await get("b", "bare/kept")).toStrictEqual(["saved", "durable"])
    await overload("a", false)
    expect(await get("a", "bare/kept")).toStrictEqual(["outside", "durable"])
    expect(await get("b", "bare/kept")).toStrictEqual(["outside", "durable"])
  })

  it("have what was kept outside brought to every shard by the alarm of the first", async () => {
    const keys = keysOf("adopted")
    for (const key of keys) await put("b", key, "before")
    await overload("c", true)
    for (const key of keys) expect((await put("c", key, "outside")).status).toBe(202)
    for (const key of keys) expect(await get("b", key)).toStrictEqual(["before", "durable"])
    await overload("c", false)
    await ask("b", "GET", "fire?shard=1&due=true")
    for (const key of keys) expect(await get("b", key)).toStrictEqual(["before", "durable"])
    await ask("b", "GET", "fire?shard=0&due=true")
    for (const key of keys) expect(await get("b", key)).toStrictEqual(["outside", "durable"])
  })

  it("come back from their snapshots and the outbox when their disks are destroyed", async () => {
    const keys = keysOf("destroyed")
    for (const key of keys) await put("a", key, "saved")
    await flush()
    for (const key of keys) await put("a", key, "lost")
    await overload("b", true)
    expect((await put("b", keys[0]!, "outside")).status).toBe(202)
    await overload("b", false)
    for (let shard = 0; shard < shards; shard++) await ask("a", "GET", `destroy?shard=${shard}`)
    expect(await get("a", keys[0]!)).toStrictEqual(["outside", "durable"])
    for (const key of keys.slice(1)) expect(await get("a", key)).toStrictEqual(["saved", "durable"])
  })
})

describe("a write under a condition", () => {
  const under = async (
    isolate: Isolate,
    method: string,
    id: string,
    headers: Record<string, string>,
    body?: string
  ) => {
    const worker = await platform.getWorker(isolate)
    const response = await worker.fetch(`http://larder.test/api/v1/cache/${id}`, {
      method,
      headers: { "X-API-KEY": "test", ...headers },
      ...(body === undefined ? {} : { body })
    })
    return { status: response.status, etag: response.headers.get("ETag"), text: await response.text() }
  }

  it("is made by one of all who race, whichever isolate they ask, and no increment is lost", async () => {
    const id = "bare/raced"
    const statuses: Array<number> = []
    let added = 0
    for (let round = 0; round < 6; round++) {
      await Promise.all(
        Array.from({ length: 9 }, async (_, writer) => {
          const isolate = isolates[writer % isolates.length]!
          const { etag, status, text } = await under(isolate, "GET", id, {})
          const condition = status === 404 ? { "If-None-Match": "*" } : { "If-Match": etag! }
          const next = status === 404 ? 1 : Number(text) + 1
          const written = await under(isolate, "PUT", id, condition as Record<string, string>, `${next}`)
          statuses.push(written.status)
          if (written.status < 300) added += 1
        })
      )
    }
    expect((await under("a", "GET", id, {})).text).toBe(`${added}`)
    expect(added).toBeGreaterThanOrEqual(6)
    expect(statuses.filter((status) => status === 412)).toHaveLength(54 - added)
  })

  it("deletes what it names, and nothing else", async () => {
    const id = "bare/removed"
    const { etag } = await under("a", "PUT", id, { "If-None-Match": "*" }, "1")
    expect((await under("b", "DELETE", id, { "If-Match": '"wrong"' })).status).toBe(412)
    expect((await under("b", "DELETE", id, { "If-Match": `W/${etag}` })).status).toBe(412)
    expect((await under("c", "GET", id, {})).text).toBe("1")
    expect((await under("b", "DELETE", id, { "If-Match": `"x", ${etag}` })).status).toBe(204)
    expect((await under("b", "DELETE", id, { "If-Match": "*" })).status).toBe(412)
  })

  it("is 503 while its object is out of reach, never 202, and then works again", async () => {
    const id = "bare/unreached"
    expect((await under("b", "PUT", id, { "If-None-Match": "*" }, "1")).status).toBe(201)
    await overload("b", true)
    expect((await put("b", "bare/unconditional", "1")).status).toBe(202)
    for (const method of ["PUT", "DELETE"]) {
      expect((await under("b", method, id, { "If-Match": "*" })).status).toBe(503)
    }
    await overload("b", false)
    expect((await under("c", "GET", id, {})).text).toBe("1")
    expect((await under("b", "PUT", id, { "If-Match": "*" }, "2")).status).toBe(204)
    expect((await under("c", "GET", id, {})).text).toBe("2")
  })
})

describe("objects whose disks are destroyed while KV cannot be read", () => {
  it("overwrite nothing that they could not read, call nothing absent, and are back as soon as it can", async () => {
    const keys = Array.from({ length: 50 }, (_, number) => `bare/unread-${number}`)
    for (const key of keys) await put("a", key, "saved")
    await flush()
    await ask("a", "GET", "unreadable?on=true")
    for (let shard = 0; shard < shards; shard++) await ask("a", "GET", `destroy?shard=${shard}`)
    expect([201, 202]).toContain((await put("a", "bare/unread-new", "written meanwhile")).status)
    expect([201, 202]).toContain((await put("a", keys[0]!, "overwritten meanwhile")).status)
    for (let shard = 0; shard < shards; shard++) await ask("a", "GET", `fire?shard=${shard}`)
    for (const key of keys.slice(1, 6)) {
      const { status, text } = await ask("c", "GET", `api/v1/cache/${key}`)
      expect(status === 503 || (status === 200 && text === "saved"), `${status}`).toBe(true)
    }
    expect((await ask("c", "GET", "api/v1/cache/bare/unread-none")).status).toBe(503)
    expect((await ask("a", "POST", "api/v1/admin/flush")).status).not.toBe(200)
    await ask("a", "GET", "unreadable?on=false")
    const restored = await ask("a", "POST", "api/v1/admin/restore")
    expect(restored.status).toBe(200)
    await ask("a", "GET", "fire?shard=0&due=true")
    for (const key of keys.slice(1)) expect((await get("b", key))[0]).toBe("saved")
    expect((await get("b", keys[0]!))[0]).toBe("overwritten meanwhile")
    expect((await get("b", "bare/unread-new"))[0]).toBe("written meanwhile")
  })
})

describe("an object whose newest snapshot is damaged, and whose disk is destroyed", () => {
  it("says that it does not know, until a command lets it go on from the snapshot before", async () => {
    const keys = keysOf("undone")
    const kv = await platform.getKVNamespace("CACHE_DO_KV", "a")
    const slots = Array.from({ length: shards }, (_, shard) => [`~~snap/shard-${shard}`, `~~snap/shard-${shard}/1`])
    const saved = async () => {
      const all = await Promise.all(
        slots.flat().map(async (slot) => [slot, await kv.get(slot, "arrayBuffer")] as const)
      )
      return new Map(all.flatMap(([slot, value]) => (value === null ? [] : [[slot, Buffer.from(value)]])))
    }
    /** Saves "newest" over "newer", and says which slots that changed: one of each shard's. */
    const renewed = async (): Promise<ReadonlyArray<readonly [string, Buffer]>> => {
      for (const value of ["good", "newer"]) {
        for (const key of keys) await put("a", key, value)
        await flush()
      }
      const before = await saved()
      for (const key of keys) await put("a", key, "newest")
      await flush()
      const changed = [...(await saved())].filter(([slot, value]) => !before.get(slot)?.equals(value))
      // On a busy machine an object's own alarm may have saved, too.
      return slots.every((own) => changed.filter(([slot]) => own.includes(slot)).length < 2) ? changed : renewed()
    }
    for (const [slot, value] of await renewed()) {
      value[value.length >> 1]! ^= 1
      await kv.put(slot, new Uint8Array(value).buffer)
    }
    for (let shard = 0; shard < shards; shard++) await ask("a", "GET", `destroy?shard=${shard}`)
    for (const key of keys) expect((await ask("c", "GET", `api/v1/cache/${key}`)).status).toBe(503)
    expect((await ask("a", "POST", "api/v1/admin/restore")).status).toBe(503)
    expect((await put("a", keys[0]!, "written meanwhile")).status).toBe(201)
    const restored = await ask("a", "POST", "api/v1/admin/restore?snapshot=previous")
    expect(restored.status).toBe(200)
    expect((JSON.parse(restored.text) as { taken: number }).taken).toBeGreaterThanOrEqual(keys.length - 1)
    const [first, ...others] = keys
    const readAll = async () => {
      expect((await get("b", first!))[0]).toBe("written meanwhile")
      for (const key of others) expect(await get("b", key)).toStrictEqual(["newer", "durable"])
    }
    await readAll()
    await flush()
    for (let shard = 0; shard < shards; shard++) await ask("a", "GET", `destroy?shard=${shard}`)
    await readAll()
  })
})
