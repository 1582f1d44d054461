import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import * as Effect from "effect/Effect"
import { afterEach, describe, expect, it, vi } from "vitest"
import * as Application from "../../src/entry/Application.ts"
import { serving } from "../../src/entry/Application.ts"
import type { Env } from "../../src/entry/app.ts"
import { cacheApplication } from "../../src/entry/cacheApplication.ts"
import { routes as cacheRoutes } from "../../src/entry/cacheRoutes.ts"
import { routes as deskRoutes } from "../../src/entry/desk/deskRoutes.ts"
import { marketDesk } from "../../src/entry/desk/marketDesk.ts"
import { routes as fileRoutes } from "../../src/entry/files/fileRoutes.ts"
import { fileService } from "../../src/entry/files/fileService.ts"
import { routesOf } from "../../src/entry/http/routes.ts"
import * as Isolates from "../../src/entry/isolates.ts"
import { monitorApplication } from "../../src/entry/monitoring/monitorApplication.ts"
import { routes as monitorRoutes } from "../../src/entry/monitoring/monitorRoutes.ts"
import { renewedObject } from "../support/durable/renewedObject.ts"
import { problemOf } from "../support/http/httpHarness.ts"
import { tiny } from "../support/tinyApplication.ts"

renewedObject()

afterEach(() => vi.restoreAllMocks())

/** A Worker of these applications, in an isolate with these variables. */
const opened = (applications: Parameters<typeof Isolates.worker>[0], variables: object = {}) => {
  const worker = Isolates.worker(applications)
  const own = { ...(env as unknown as Env), ...variables }
  const context = createExecutionContext()
  return {
    send: (path: string, key = "test") =>
      worker.fetch(new Request(`https://larder.test${path}`, { headers: { "X-API-KEY": key } }), own, context),
    fire: async (cron: string) => {
      await worker.scheduled({ cron }, own, context)
      await waitOnExecutionContext(context)
    }
  }
}

/** Lines of the log from here on. */
const logged = () => {
  const lines: Array<string> = []
  for (const method of ["error", "warn", "info"] as const) {
    vi.spyOn(console, method).mockImplementation(
      (...printed: ReadonlyArray<unknown>) => void lines.push(String(printed[0]))
    )
  }
  return lines
}

const text = async (answer: Promise<Response>) => {
  const response = await answer
  return [response.status, await response.text()]
}

describe("an application", () => {
  it("brings its routes, settings, collections and crons by one line", async () => {
    const { fire, send } = opened([cacheApplication, tiny], { GREETING: "servus" })
    expect(await text(send("/api/v1/greeting"))).toStrictEqual([200, '"servus"'])
    await fire("0 * * * *")
    expect(await text(send("/api/v1/cache/greetings/latest"))).toStrictEqual([200, "servus"])
    await problemOf(await send("/api/v1/greeting", "wrong"))
  })

  it("that is left out leaves nothing of itself behind", async () => {
    const { send } = opened([cacheApplication])
    for (const path of [
      "/api/v1/quotes?symbols=AAPL",
      "/api/v1/alerts",
      "/api/v1/greeting",
      "/api/v1/cache/quotes/a",
      "/api/v1/data/static/intervals",
      "/api/v1/cache/static/intervals"
    ]) {
      expect((await problemOf(await send(path))).status, path).toBe(404)
    }
    expect((await send("/api/v1/ledger")).status).toBe(200)
    expect((await send("/api/v1/cache/stats")).status).toBe(200)
  })

  it("has every path of its contract, whatever others have", async () => {
    const applications = [cacheApplication, monitorApplication, marketDesk, fileService]
    const contracts = [cacheRoutes, monitorRoutes, deskRoutes, fileRoutes]
    for (const [index, { api }] of contracts.entries()) {
      const routes = routesOf(api as Parameters<typeof routesOf>[0])
      expect(routes.length).toBeGreaterThan(5)
      for (const { declared } of routes) {
        expect(serving(applications, declared)?.name, declared).toBe(applications[index]!.name)
      }
    }
    expect(serving(applications, "/api/v1/quotesque")?.name).toBe("cache")
  })

  it("may answer for a collection of its own in front of the store", async () => {
    const { send } = opened([cacheApplication, marketDesk])
    const response = await send("/api/v1/cache/static/intervals")
    expect(response.status).toBe(200)
    expect(response.headers.get("Cache-Status")).toContain("static")
    const stats = (await (await send("/api/v1/cache/stats")).json()) as Record<string, unknown>
    expect(stats.static).toMatchObject({ hits: 1 })
  })

  it("runs its jobs before those of others that come last, whatever fails before", async () => {
    const ran: Array<string> = []
    const job = (name: string, more: { readonly last?: true; readonly fails?: true } = {}) => ({
      cron: "0 0 * * *",
      name,
      run: Effect.suspend(() => {
        ran.push(name)
        return more.fails ? Effect.fail("no luck") : Effect.void
      }),
      ...(more.last && { last: more.last })
    })
    const first = Application.make({ name: "first", jobs: [job("z", { last: true }), job("a", { fails: true })] })
    const lines = logged()
    await opened([first, Application.make({ name: "second", jobs: [job("b")] })]).fire("0 0 * * *")
    expect(ran).toStrictEqual(["a", "b", "z"])
    expect(lines.filter((line) => line.includes("a failed; its next cron tries again")).length).toBe(1)
  })
})

describe("variables", () => {
  it("count as numbers, booleans and tables of TOML as they do as strings", async () => {
    const { send } = opened([cacheApplication], {
      MEMORY_BYTES: 2_000_000,
      FEATURE_FLAG_DO_CACHE: false,
      COLLECTIONS: { pages: { ttl: 60 } }
    })
    const health = (await (await send("/api/v1/data/health")).json()) as { cache: { memory: object } }
    expect(health.cache.memory).toMatchObject({ capacityBytes: 2_000_000 })
    const metadata = (await (await send("/api/v1/cache/metadata")).json()) as { collections: Array<{ name: string }> }
    expect(metadata.collections.map(({ name }) => name)).toContain("pages")
  })

  it("that are wrong are a line of the log each, and told to a key with the scope admin", async () => {
    const lines = logged()
    const { send } = opened([cacheApplication, marketDesk], {
      API_KEYS: "boss,guest=read",
      MEMORY_BYTES: 12,
      MARKET_SOURCE: "yahoo",
      COLLECTIONS: { pages: { tll: 60 } }
    })
    const told = await problemOf(await send("/api/v1/cache/default/a", "boss"))
    expect(told).toMatchObject({ status: 500, type: "/problems/misconfigured" })
    expect(told.detail).toMatch(/MEMORY_BYTES is "12": it must be a whole number from 1,048,576 to 104,857,600; /)
    expect(told.detail).toMatch(/MARKET_SOURCE is "yahoo": it must be `off` or `sample` or `http`/)
    expect(told.detail).toMatch(/COLLECTIONS is .*pages\.tll/)
    expect(lines.length).toBe(3)
    for (const [index, name] of ["MEMORY_BYTES", "COLLECTIONS", "MARKET_SOURCE"].entries()) {
      expect(lines[index]).toContain("FATAL")
      expect(lines[index]).toContain(name)
      expect(lines[index]).not.toContain("\n")
    }
    for (const key of ["guest", "nobody"]) {
      expect((await problemOf(await send("/api/v1/cache/default/a", key))).detail).toBe("see this Worker's log")
    }
  })

  it("that are misspelled are named with the one that is meant, and keep nobody from working", async () => {
    const lines = logged()
    const { send } = opened([cacheApplication], { MEMRY_BYTES: "2000000", MY_OWN: "1" })
    expect((await send("/api/v1/data/health")).status).toBe(200)
    expect(lines.length).toBe(1)
    expect(lines[0]).toMatch(/WARN.*MEMRY_BYTES.*MEMORY_BYTES/)
  })
})
