import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import { refusalOf } from "../../support/http/httpHarness.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

const isolate = (source: string | undefined) => {
  const { MARKET_SOURCE: _, ...bindings } = env as unknown as Env & { readonly MARKET_SOURCE?: string }
  const own = { ...bindings, ...(source === undefined ? {} : { MARKET_SOURCE: source }) } as Env
  return {
    ask: async (method: string, path: string, body?: unknown): Promise<Response> => {
      const context = createExecutionContext()
      const request = new Request(`https://larder.test/api/v1/${path}`, {
        method,
        headers: { "X-API-KEY": "test", "Content-Type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const response = await Isolates.serve(own)(request, context)
      await waitOnExecutionContext(context)
      return response
    },
    fire: (cron: string) => Isolates.fire(own)(cron, createExecutionContext())
  }
}

const priced = [
  ["GET", "quotes?symbols=AAPL"],
  ["GET", "quotes/stream?symbols=AAPL"],
  ["GET", "sectors/snapshot"],
  ["GET", "sentiment/analysis?symbols=AAPL"],
  ["POST", "admin/cron/alerts"],
  ["POST", "admin/cron/report"]
] as const

describe("without MARKET_SOURCE", () => {
  it.each(priced)("%s %s serves nothing invented: 503 no-market-source", async (method, path) => {
    await refusalOf(await isolate(undefined).ask(method, path), "no-market-source")
  })

  it("what needs no prices is served, and the crons have nothing to do", async () => {
    const { ask, fire } = isolate(undefined)
    expect((await ask("POST", "sentiment/analysis", { headlines: ["Profits surge"] })).status).toBe(200)
    expect((await ask("GET", "data/symbols")).status).toBe(200)
    expect((await ask("GET", "signals")).status).toBe(200)
    await fire("*/5 * * * *")
    await fire("15 17-23 * * MON-FRI")
  })
})

describe("MARKET_SOURCE", () => {
  it("sample is said of every quote, analysis and snapshot", async () => {
    const { ask } = isolate("sample")
    const { quotes } = (await (await ask("GET", "quotes?symbols=AAPL,MSFT")).json()) as { quotes: Array<object> }
    expect(quotes).toMatchObject([{ source: "sample" }, { source: "sample" }])
    expect(await (await ask("GET", "sectors/snapshot")).json()).toMatchObject({ source: "sample" })
    const { analyses } = (await (await ask("GET", "sentiment/analysis?symbols=AAPL")).json()) as { analyses: object[] }
    expect(analyses).toMatchObject([{ source: "sample" }])
    const stream = (await ask("GET", "quotes/stream?symbols=AAPL")).body!.getReader()
    let text = ""
    while (!text.includes("event: quote")) text += new TextDecoder().decode((await stream.read()).value)
    expect(text).toContain('"source":"sample"')
    await stream.cancel()
  })

  it("http has no invented headlines, nor quotes that the sample left in the cache", async () => {
    expect((await isolate("sample").ask("GET", "quotes?symbols=NVDA")).status).toBe(200)
    const { ask } = isolate("http")
    await refusalOf(await ask("GET", "sentiment/analysis?symbols=AAPL"), "no-market-source")
    expect((await ask("GET", "quotes?symbols=NVDA")).status).toBe(503)
  })
})
