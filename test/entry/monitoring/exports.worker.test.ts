import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { afterEach, describe, expect, it, vi } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { headersIn } from "../../../src/entry/monitoring/exporter.ts"
import * as Spans from "../../../src/entry/monitoring/spans.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

const bindings = env as unknown as Env

afterEach(() => {
  vi.restoreAllMocks()
})

const ask = async (serve: ReturnType<typeof Isolates.serve>, path: string) => {
  const context = createExecutionContext()
  const response = await serve(
    new Request(`https://larder.test/api/v1/${path}`, { headers: { "X-API-KEY": "test" } }),
    context
  )
  await waitOnExecutionContext(context)
  return response
}

describe("figures for others", () => {
  it("go to Analytics Engine once a minute, with a request that comes then", async () => {
    const points: Array<AnalyticsEngineDataPoint> = []
    const METRICS = { writeDataPoint: (point: AnalyticsEngineDataPoint) => points.push(point) }
    const serve = Isolates.serve({ ...bindings, METRICS } as unknown as Env)
    for (let i = 0; i < 3; i++) await ask(serve, "cache/default/exported")
    expect(points).toEqual([])
    const now = Date.now()
    vi.spyOn(Date, "now").mockImplementation(() => now + 61_000)
    await ask(serve, "cache/default/exported")
    const first = points.find(({ blobs }) => blobs![0] === "totals")!
    expect(first.doubles![0]).toBe(3)
    const before = points.length
    await ask(serve, "cache/default/exported")
    expect(points.length).toBe(before)
    vi.spyOn(Date, "now").mockImplementation(() => now + 122_000)
    await ask(serve, "cache/default/exported")
    expect(points.findLast(({ blobs }) => blobs![0] === "totals")!.doubles![0]).toBe(2)
  })

  it("take the collector's headers as OpenTelemetry writes them", () => {
    expect(headersIn("Authorization=Bearer%20a=b, x-team = larder,,=no")).toEqual({
      Authorization: "Bearer a=b",
      "x-team": "larder"
    })
  })
})

describe("spans of requests", () => {
  const request = (traceparent?: string) =>
    new Request("https://larder.test/api/v1/cache/default/secret-key", {
      headers: traceparent === undefined ? {} : { traceparent }
    })
  const response = new Response(null, { headers: { "Cache-Status": "Larder; hit; detail=durable" } })

  it("follow the caller's trace, and begin one for a share of the others", () => {
    const spans = Spans.make(() => 0.5)
    spans.ended(request(), response, 5, 100)
    spans.trace(0.4)
    spans.ended(request(), response, 5, 100)
    spans.ended(request(`00-${"a".repeat(32)}-${"b".repeat(16)}-01`), response, 5, 100)
    spans.ended(request(`00-${"c".repeat(32)}-${"b".repeat(16)}-00`), response, 5, 100)
    const [only, ...others] = spans.take()
    expect(others).toEqual([])
    expect(only).toMatchObject({ traceId: "a".repeat(32), parentId: "b".repeat(16), tier: "durable", from: 95 })
    spans.trace(0.6)
    spans.ended(request(), response, 5, 100)
    const [begun] = spans.take()
    expect(begun).toMatchObject({ route: "GET cache", parentId: undefined, until: 100 })
    expect(begun!.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(begun!.spanId).toMatch(/^[0-9a-f]{16}$/)
    expect(JSON.stringify(begun)).not.toContain("secret")
  })

  it("are 500 of a minute at most", () => {
    const spans = Spans.make(() => 0)
    spans.trace(1)
    for (let i = 0; i < 600; i++) spans.ended(request(), response, 5, 100)
    expect(spans.take().length).toBe(500)
    expect(spans.take()).toEqual([])
  })
})
