import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import { open, refusalOf } from "../../support/http/httpHarness.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

type Json = Record<string, unknown>

/** One isolate, as in production. */
const send = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const context = createExecutionContext()
  const headers = { "X-API-KEY": "test", ...init.headers } as HeadersInit
  const request = new Request(`https://larder.test${path}`, { ...init, headers })
  const response = await Isolates.serve(env as unknown as Env)(request, context)
  await waitOnExecutionContext(context)
  return response
}

const json = async <A = Json>(response: Response, status = 200): Promise<A> => {
  const body = await response.json()
  expect(response.status, JSON.stringify(body)).toBe(status)
  return body as A
}

const postJson = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body)
})

/** What was billed until now. */
const spent = async () => {
  const { total } = await json<{ total: { kv: Json; durableObject: Json } }>(await send("/api/v1/ledger"))
  return { kv: total.kv, durableObject: total.durableObject }
}

describe("quotes", () => {
  it("come in the order asked, in any case, each once; again, they cost nothing", async () => {
    const path = "/api/v1/quotes?symbols=msft,AAPL,%20brk.b,Msft"
    const first = await json<{ quotes: Array<Json>; unavailable: Array<string> }>(await send(path))
    expect(first.quotes.map(({ symbol }) => symbol)).toStrictEqual(["MSFT", "AAPL", "BRK.B"])
    expect(first.unavailable).toStrictEqual([])
    for (const { at, change, previousClose, price, stale } of first.quotes) {
      expect(Date.parse(at as string)).toBeLessThanOrEqual(Date.now())
      expect(change).toBeCloseTo((price as number) / (previousClose as number) - 1, 5)
      expect(stale).toBe(false)
    }
    const before = await spent()
    const again = await json<{ quotes: Array<Json> }>(await send(path))
    expect(again.quotes).toStrictEqual(first.quotes)
    expect(await spent()).toStrictEqual(before)
  })

  it("are refused clearly: none, too many, empty, unknown, without a key", async () => {
    const { answer, send: ask } = open()
    const quotes = (query: string) => ask(`/api/v1/quotes${query}`)
    expect((await refusalOf(await quotes(""), "bad-parameter")).detail).toContain("symbols")
    expect((await refusalOf(await quotes("?symbols="), "bad-parameter")).detail).toContain("symbols")
    expect((await refusalOf(await quotes("?symbols=AAPL&symbols=KO"), "bad-parameter")).detail).toContain("symbols")
    expect((await refusalOf(await quotes("?symbols=AAPL,,KO"), "bad-parameter")).detail).toContain("empty")
    const many = Array.from({ length: 51 }, (_, at) => `S${at}`).join(",")
    expect((await refusalOf(await quotes(`?symbols=${many}`), "bad-parameter")).detail).toContain("at most 50")
    const unknown = await refusalOf(await quotes("?symbols=AAPL,FOO,%3Cb%3E,KO"), "no-such-symbol")
    expect(unknown.detail).toContain("FOO, <B>")
    expect(unknown.detail).not.toContain("AAPL")
    await refusalOf(await quotes(`?symbols=AAPL,${"x".repeat(5000)}`), "no-such-symbol")
    await refusalOf(await answer(new Request("https://larder.test/api/v1/quotes?symbols=AAPL")), "unauthorized")
    for (const path of ["/api/v1/quotes/stream", "/api/v1/sentiment/analysis"]) {
      await refusalOf(await ask(`${path}?symbols=FOO`), "no-such-symbol")
      await refusalOf(await ask(path), "bad-parameter")
    }
  })
})

describe("the stream of quotes", () => {
  it("begins with all of them, and ends when the client goes", async () => {
    const response = await send("/api/v1/quotes/stream?symbols=AAPL,MSFT")
    expect(response.status).toBe(200)
    expect(response.headers.get("Content-Type")).toMatch(/^text\/event-stream/)
    expect(response.headers.get("Cache-Control")).toBe("no-store")
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ""
    while ((text.match(/^event: quote$/gm) ?? []).length < 2) text += (await reader.read()).value ?? ""
    expect(text).toMatch(/^retry: \d+$/m)
    expect(text).toMatch(/^data: \{"symbol":"AAPL"/m)
    expect(text).toMatch(/^data: \{"symbol":"MSFT"/m)
    await reader.cancel()
  })
})

describe("sentiment", () => {
  it("of symbols is read from their headlines, and says who read them", async () => {
    const { analyses } = await json<{ analyses: Array<Json> }>(await send("/api/v1/sentiment/analysis?symbols=AAPL,ko"))
    expect(analyses.map(({ symbol }) => symbol)).toStrictEqual(["AAPL", "KO"])
    for (const { confidence, headlines, label, method, score } of analyses) {
      expect(Math.abs(score as number)).toBeLessThanOrEqual(1)
      expect(confidence).toBeGreaterThanOrEqual(0)
      expect(["positive", "neutral", "negative"]).toContain(label)
      expect(method).toBe("lexicon")
      expect((headlines as Array<unknown>).length).toBeGreaterThan(0)
    }
  })

  it("of headlines of one's own: each, and all together", async () => {
    const body = postJson({ headlines: ["Apple beats estimates", "Boeing misses estimates, cuts guidance"] })
    const scored = await json<{ headlines: Array<Json>; label: string }>(await send("/api/v1/sentiment/analysis", body))
    expect(scored.headlines.map(({ label }) => label)).toStrictEqual(["positive", "negative"])
  })

  it("of what are no headlines is refused", async () => {
    const { sendJson } = open({ apiKeys: "test=read" })
    for (const body of [
      {},
      { headlines: [] },
      { headlines: [""] },
      { headlines: Array(101).fill("x") },
      { headlines: ["x".repeat(1001)] }
    ]) {
      await refusalOf(await sendJson("/api/v1/sentiment/analysis", body), "invalid-body")
    }
    const response = await sendJson("/api/v1/sentiment/analysis", { headlines: ["profit"] })
    expect(response.status, "a key that reads may score").toBe(200)
  })
})

describe("reports and signals", () => {
  it("a report is published on command, once, and then read", async () => {
    const first = await json<{ published: boolean; report: Json }>(
      await send("/api/v1/admin/cron/report", { method: "POST" })
    )
    expect(first.published).toBe(true)
    const again = await json<{ published: boolean; report: Json }>(
      await send("/api/v1/admin/cron/report", { method: "POST" })
    )
    expect(again).toStrictEqual({ published: false, report: first.report })
    expect(await json(await send(`/api/v1/reports/daily/${first.report.date}`))).toStrictEqual(first.report)
    expect((first.report.sectors as Array<unknown>).length).toBe(11)
    const { signals } = await json<{ signals: Array<Json> }>(await send("/api/v1/signals"))
    const made = first.report.signals as Array<Json>
    expect(signals).toStrictEqual(
      expect.arrayContaining(made.map((signal) => expect.objectContaining({ ...signal, outcome: null })))
    )
    for (const { symbol } of made.slice(0, 1)) {
      const { signals: own } = await json<{ signals: Array<Json> }>(await send(`/api/v1/signals?symbol=${symbol}`))
      expect(own.every((signal) => signal.symbol === symbol) && own.length > 0).toBe(true)
    }
  })

  it("only keys with the scope admin publish", async () => {
    const { send: ask } = open({ apiKeys: "test=read+write" })
    await refusalOf(await ask("/api/v1/admin/cron/report", { method: "POST" }), "forbidden")
  })

  it("a day without a report: why there is none", async () => {
    const { send: ask } = open()
    const why = async (date: string) =>
      (await refusalOf(await ask(`/api/v1/reports/daily/${date}`), "no-such-report")).detail
    expect(await why("2026-01-01")).toContain("holiday")
    expect(await why("2026-01-03")).toContain("weekend")
    expect(await why("2024-07-03")).toContain("none was published")
    expect(await why("2030-06-12")).toContain("not over")
    expect(await why("1999-01-04")).toContain("calendar")
    for (const date of ["2026-02-30", "today", "2026-1-5", "20260105"]) {
      await refusalOf(await ask(`/api/v1/reports/daily/${date}`), "bad-parameter")
    }
  })

  it("signals since a bad date, one too far back or ahead, or of two symbols are refused", async () => {
    const { send: ask } = open()
    for (const query of ["since=yesterday", "since=2019-01-01", "since=2099-01-01", "symbol=AAPL,KO", "symbol="]) {
      await refusalOf(await ask(`/api/v1/signals?${query}`), "bad-parameter")
    }
    await refusalOf(await ask("/api/v1/signals?symbol=FOO"), "no-such-symbol")
    expect(await (await ask("/api/v1/signals")).json()).toMatchObject({ signals: [] })
  })
})
