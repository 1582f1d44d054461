import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { afterEach, describe, expect, it, vi } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

afterEach(() => vi.restoreAllMocks())

type Line = Readonly<Record<string, unknown>>

const fail = (what: string) => (): Promise<never> => Promise.reject(new Error(what))

const kvFails = fail("KV failed: 500")

/** Every call of it fails. */
const failing = { get: kvFails, getWithMetadata: kvFails, put: kvFails, delete: kvFails, list: kvFails }

const goneFails = fail("gone")

/** Objects that nobody reaches. */
const unreachable = { getMany: goneFails, apply: goneFails, list: goneFails, stats: goneFails, lease: goneFails }
const gone = {
  idFromName: (name: string) => ({ name }),
  get: () => unreachable,
  getByName: () => unreachable
}

/** An isolate whose stores fail, and what it prints. */
const opened = (changed: Record<string, unknown>) => {
  const printed: Array<unknown> = []
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => void printed.push(...args))
  }
  const serve = Isolates.serve({ ...(env as unknown as Env), ...changed } as unknown as Env)
  const send = async (path: string, init: RequestInit = {}) => {
    const context = createExecutionContext()
    const headers = { "X-API-KEY": "test", ...(init.headers as Record<string, string>) }
    const response = await serve(new Request(`https://larder.test/api/v1/${path}`, { ...init, headers }), context)
    await waitOnExecutionContext(context)
    return response
  }
  const lines = (): ReadonlyArray<Line> => printed.map((line) => JSON.parse(line as string) as Line)
  return { send, lines }
}

const json = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body)
})

const kvMode = { FEATURE_FLAG_DO_CACHE: "off", CACHE_KV: failing, EDGE_TIER: "off" }
const durableMode = { FEATURE_FLAG_DO_CACHE: "on", CACHE_DO: gone, CACHE_DO_KV: failing, EDGE_TIER: "off" }

const entry = "/api/v1/cache/{collection}/{key}"

describe("the log of a Worker whose store fails", () => {
  it.each([
    ["a read in KV mode", kvMode, "cache/default/caf%C3%A9", {}, { route: entry, key: "café", binding: "CACHE_KV" }],
    [
      "a write in KV mode",
      kvMode,
      "cache/default/a",
      { method: "PUT", body: "1" },
      { route: entry, binding: "CACHE_KV" }
    ],
    ["a delete", kvMode, "cache/default/a", { method: "DELETE" }, { route: entry, key: "a", binding: "CACHE_KV" }],
    ["a list", kvMode, "cache/default", {}, { route: "/api/v1/cache/{collection}", binding: "CACHE_KV" }],
    [
      "a batch",
      kvMode,
      "cache/default/batch",
      json({ get: ["a", "b"] }),
      { route: "/api/v1/cache/{collection}/batch", collection: "default", binding: "CACHE_KV" }
    ],
    ["a read in durable mode", durableMode, "cache/default/a", {}, { route: entry, key: "a", binding: "CACHE_DO" }]
  ])("%s: one JSON object a line, with the id of the reply, route, binding, key and cause", async (...story) => {
    const [, bindings, path, init, expected] = story
    const { lines, send } = opened(bindings)
    const response = await send(path, init as RequestInit)
    const id = response.headers.get("X-Request-Id")
    expect(id).toMatch(/^[\w-]{8,}$/)
    const line = lines().find((it) => it.message === "the store failed a request")
    expect(line).toMatchObject({
      level: "WARN",
      requestId: id,
      method: (init as RequestInit).method ?? "GET",
      ...expected
    })
    expect(JSON.stringify(line?.cause)).toMatch(/failed: 500|"DurableCacheError"/)
    for (const one of lines()) {
      expect(one).toMatchObject({ at: expect.any(String), level: expect.any(String), message: expect.any(String) })
      expect(JSON.stringify(one)).not.toContain("{}")
      expect(JSON.stringify(one)).not.toContain('"test"')
    }
    if (response.status >= 400) expect(await response.json()).toMatchObject({ requestId: id })
  })

  it("names the job of a cron", async () => {
    const { lines, send } = opened(kvMode)
    await send("admin/cron/flush", { method: "POST" })
    for (const line of lines()) expect(line.requestId).toBeTypeOf("string")
  })
})

describe("the id of a request", () => {
  it("is the client's, or the ray's, or one of its own, in every reply and every problem", async () => {
    const { send } = opened({})
    for (const [path, init] of [
      ["cache/default/a", { method: "PUT", body: "1" }],
      ["cache/default/a", {}],
      ["cache/default/a", {}],
      ["cache/default/none", {}],
      ["cache/none/a", {}],
      ["cache/default/a?ttll=5", { method: "PUT", body: "1" }],
      ["cache/stats", {}],
      ["data/health", {}],
      ["nowhere", {}],
      ["cache/default/batch", json({ gett: [] })],
      ["cache/default/a", { headers: { "X-API-KEY": "wrong" } }],
      ["cache/default/a", { method: "HEAD" }]
    ] as ReadonlyArray<readonly [string, RequestInit]>) {
      const given = (headers: Record<string, string>) =>
        send(path, { ...init, headers: { ...(init.headers as Record<string, string>), ...headers } })
      for (const [headers, id] of [
        [{ "X-Request-Id": "mine-1" }, "mine-1"],
        [{ "CF-Ray": "8f2a-VIE" }, "8f2a-VIE"],
        [{ "X-Request-Id": "two words", "CF-Ray": "8f2a-VIE" }, "8f2a-VIE"],
        [{}, undefined]
      ] as ReadonlyArray<readonly [Record<string, string>, string | undefined]>) {
        const response = await given(headers)
        const told = response.headers.get("X-Request-Id")
        if (id === undefined) expect(told).toMatch(/^[\da-f-]{13}-[\da-z]+$/)
        else expect([path, told]).toStrictEqual([path, id])
        if (response.headers.get("Content-Type") === "application/problem+json" && init.method !== "HEAD") {
          expect(await response.json()).toMatchObject({ requestId: told })
        }
      }
    }
  })

  it("is another one for every request", async () => {
    const { send } = opened({})
    const ids = await Promise.all(
      Array.from({ length: 50 }, async () => (await send("cache/stats")).headers.get("X-Request-Id"))
    )
    expect(new Set(ids).size).toBe(50)
  })
})
