import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import { refusalOf } from "../../support/http/httpHarness.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

const bindings = env as unknown as Env

const isolate = (variables: Record<string, string>) => {
  const serve = Isolates.serve({ ...bindings, ...variables })
  return async (method: string, path: string, body?: string): Promise<Response> => {
    const context = createExecutionContext()
    const headers = { "X-API-KEY": "test" }
    const request = new Request(`https://larder.test/api/v1/${path}`, { method, headers, ...(body && { body }) })
    const response = await serve(request, context)
    await waitOnExecutionContext(context)
    return response
  }
}

describe("a cap in dollars that is reached", () => {
  it.each([
    "on",
    "off"
  ])("refuses requests until midnight, and loses nothing acknowledged (objects %s)", async (flag) => {
    const capped = isolate({
      FEATURE_FLAG_DO_CACHE: flag,
      SPEND_CAP_USD: "0.00001",
      SPEND_CAP_SHARE: "1",
      SPEND_CAP_REFUSES: "true"
    })
    const acknowledged: Array<string> = []
    let refused: Response | undefined
    for (let i = 0; i < 100 && refused === undefined; i++) {
      const path = `cache/default/${crypto.randomUUID()}`
      const response = await capped("PUT", path, String(i))
      if (response.status === 429) refused = response
      else {
        expect(response.status).toBe(201)
        acknowledged.push(path)
      }
    }
    expect(acknowledged.length).toBeGreaterThan(0)
    const untilMidnight = (86_400_000 - (Date.now() % 86_400_000)) / 1000
    expect(Math.abs(Number(refused!.headers.get("Retry-After")) - untilMidnight)).toBeLessThan(60)
    await refusalOf(refused!, "daily-limit")
    await refusalOf(await capped("GET", acknowledged[0]!), "daily-limit")
    expect((await capped("GET", "monitor/alerts")).status).toBe(200)
    expect((await capped("GET", "data/health")).status).toBe(200)
    const free = isolate({ FEATURE_FLAG_DO_CACHE: flag })
    for (const [index, path] of acknowledged.entries()) {
      expect(await (await free("GET", path)).text()).toBe(String(index))
    }
  })
})

describe("the kill switch", () => {
  it("refuses everything but operations", async () => {
    const killed = isolate({ KILL_SWITCH: "true" })
    await refusalOf(await killed("GET", "cache/default/x"), "unavailable")
    await refusalOf(await killed("PUT", "cache/default/x", "1"), "unavailable")
    await refusalOf(await killed("GET", "cache/stats"), "unavailable")
    for (const path of ["monitor/alerts", "config", "ledger", "data/health"]) {
      expect((await killed("GET", path)).status, path).toBe(200)
    }
  })
})
