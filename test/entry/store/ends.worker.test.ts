import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { describe, expect, it, vi } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { cacheApplication } from "../../../src/entry/cacheApplication.ts"
import * as Client from "../../../src/entry/client.ts"
import { durable } from "../../../src/entry/facade/durableStore.ts"
import { cached, makeFacades } from "../../../src/entry/facade/namespace.ts"
import * as Isolates from "../../../src/entry/isolates.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"

renewedObject()

const { CACHE_DO, CACHE_KV } = env as unknown as Required<Env>

/** `null`: never; in whole seconds, as headers have it. */
type End = number | null

const seconds = (millis: number): number => Math.floor(millis / 1000)

const endOf = (said: string | null | undefined): End => (said == null ? null : seconds(Date.parse(said)))

describe.each(["on", "off"])("what an entry's end is, FEATURE_FLAG_DO_CACHE %s", (flag) => {
  const bindings = { ...(env as unknown as Env), FEATURE_FLAG_DO_CACHE: flag }
  const isolates = Isolates.make([cacheApplication])

  const within = async <A>(use: (context: ExecutionContext) => Promise<A>): Promise<A> => {
    const context = createExecutionContext()
    const result = await use(context)
    await waitOnExecutionContext(context)
    return result
  }

  const send = (request: Request): Promise<Response> =>
    within((context) => isolates.handler.fetch!(request as never, bindings, context) as Promise<Response>)

  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    send(
      new Request(`https://larder.test/api/v1/cache/default${path}`, {
        ...init,
        headers: { "X-API-KEY": "test", ...init.headers }
      })
    )

  const batch = async (body: object) => {
    const headers = { "Content-Type": "application/json" }
    const response = await ask("/batch", { method: "POST", headers, body: JSON.stringify(body) })
    return (await response.json()) as Readonly<
      Record<"get" | "set", ReadonlyArray<{ readonly expiresAt: string | null }>>
    >
  }

  const put =
    (conditions: Record<string, string> = {}) =>
    async (key: string, ttl: number | undefined) => {
      const response = await ask(`/${key}${ttl === undefined ? "" : `?ttl=${ttl}`}`, {
        method: "PUT",
        body: "1",
        headers: conditions
      })
      expect(response.ok).toBe(true)
      return endOf(response.headers.get("Expires"))
    }

  /** Ways in: each tells the end of what it put. */
  const ways: Readonly<Record<string, (key: string, ttl: number | undefined) => Promise<End>>> = {
    PUT: put(),
    "PUT over another": async (key, ttl) => {
      await put()(key, 3600)
      return put()(key, ttl)
    },
    ...(flag === "on" ? { "PUT under a condition": put({ "If-None-Match": "*" }) } : {}),
    batch: async (key, ttl) =>
      endOf((await batch({ set: [{ key, value: 1, ...(ttl && { ttl }) }] })).set[0]!.expiresAt),
    client: (key, ttl) =>
      Client.make({ baseUrl: "https://larder.test", apiKey: Redacted.make("test") }).pipe(
        Effect.flatMap(({ entries }) =>
          entries.put({
            path: { collection: "default", key },
            headers: {},
            urlParams: ttl === undefined ? {} : { ttl },
            payload: Uint8Array.of(1),
            withResponse: true
          })
        ),
        Effect.map(([, { headers }]) => endOf(headers.expires)),
        Effect.provide(FetchHttpClient.layer),
        Effect.provide(
          Layer.succeed(FetchHttpClient.Fetch, ((input, init) =>
            send(new Request(input as string, init))) as typeof fetch)
        ),
        Effect.runPromise
      ),
    "RPC set": (key, ttl) =>
      within(async (context) => {
        const { expiresAt } = await isolates
          .rpc(bindings, context)
          .set("default", key, { value: "1", ...(ttl && { ttl }) })
        return expiresAt === null ? null : seconds(expiresAt)
      }),
    "RPC writeMany": (key, ttl) =>
      within(async (context) => {
        const change = { key, value: "1", ...(ttl && { ttl }) }
        const [result] = await isolates.rpc(bindings, context).writeMany("default", [change])
        if (!result!.ok) throw new Error(result!.reason)
        return result!.value.expiresAt === null ? null : seconds(result!.value.expiresAt)
      })
  }

  /** Ways of being told it by a read. */
  const told = async (key: string): Promise<Readonly<Record<string, End>>> => {
    const expiresIn = (response: Response) => endOf(response.headers.get("Expires"))
    const got = await ask(`/${key}`)
    const { keys } = (await (await ask(`?prefix=${key}`)).json()) as {
      keys: ReadonlyArray<{ expiresAt: string | null }>
    }
    const rpc = await within((context) => isolates.rpc(bindings, context).get("default", key))
    return {
      GET: expiresIn(got),
      HEAD: expiresIn(await ask(`/${key}`, { method: "HEAD" })),
      304: expiresIn(await ask(`/${key}`, { headers: { "If-None-Match": got.headers.get("ETag")! } })),
      batch: endOf((await batch({ get: [key] })).get[0]!.expiresAt),
      list: endOf(keys[0]!.expiresAt),
      RPC: rpc!.expiresAt === null ? null : seconds(rpc!.expiresAt)
    }
  }

  it.each(
    Object.keys(ways)
  )("is told alike by %s and by every read, and is none without a ttl in `default`", async (way) => {
    for (const ttl of [undefined, 120, 31_536_000]) {
      const key = crypto.randomUUID()
      const before = Date.now()
      const end = await ways[way]!(key, ttl)
      if (ttl === undefined) expect(end).toBe(null)
      else {
        expect(end).toBeGreaterThanOrEqual(seconds(before) + ttl)
        expect(end).toBeLessThanOrEqual(seconds(Date.now()) + ttl)
      }
      const reads = await told(key)
      for (const [name, read] of Object.entries(reads)) {
        // KV keeps an end in whole seconds, no earlier than the entry's own.
        if (end === null) expect(read, name).toBe(null)
        else expect([end, end + 1], name).toContain(read)
      }
    }
  })
})

describe("an entry that lives for ever", () => {
  const stores = {
    KV: undefined,
    objects: durable({ objects: CACHE_DO })
  }

  it.each(
    Object.keys(stores) as ReadonlyArray<keyof typeof stores>
  )("is so through the facade over %s, after years", async (name) => {
    const store = stores[name]
    const isolate = () => makeFacades(1_000_000).facadeOf(CACHE_KV, store === undefined ? {} : { store }, "ENDLESS")
    const key = `endless-${crypto.randomUUID()}`
    const context = createExecutionContext()
    await isolate().during(context).put(key, "there")
    await isolate().during(context).put(`${key}-ends`, "there", { expirationTtl: 60 })
    const kv = isolate().during(context)
    const { keys } = await kv.list({ prefix: key })
    expect(keys.map(({ expiration }) => expiration === undefined)).toStrictEqual([true, false])
    const now = Date.now()
    vi.useFakeTimers({ now: now + 5 * 365 * 86_400_000, toFake: ["Date"] })
    try {
      expect(await isolate().during(context).get(key)).toBe("there")
      expect(await kv.get(key)).toBe("there")
      if (store !== undefined) expect(await isolate().during(context).get(`${key}-ends`)).toBe(null)
    } finally {
      vi.useRealTimers()
    }
    await waitOnExecutionContext(context)
  })

  it("answers `cached`, too, which gives what it loads itself an end", async () => {
    const context = createExecutionContext()
    const key = `cached-${crypto.randomUUID()}`
    await CACHE_KV.put(key, '"put"')
    const load = vi.fn(() => "loaded")
    for (let time = 0; time < 2; time++) {
      expect(await cached(CACHE_KV, context, key, load, { ttl: 60 })).toBe("put")
    }
    expect(load).not.toHaveBeenCalled()
    await cached(CACHE_KV, context, `${key}-2`, load, { ttl: 60 })
    await waitOnExecutionContext(context)
    const { keys } = await CACHE_KV.list({ prefix: key })
    expect(keys.map(({ expiration }) => expiration === undefined)).toStrictEqual([true, false])
  })
})
