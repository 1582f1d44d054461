import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FigureExportOtlp from "../../../src/layers/monitoring/FigureExportOtlp.ts"
import type { ExportBatch } from "../../../src/services/monitoring/FigureExport.ts"

const batch: ExportBatch = {
  isolate: "i",
  version: "1",
  from: 0,
  until: 60_000,
  figures: { "ledger|kv|reads": 1 },
  spans: []
}

const span = {
  traceId: "1",
  spanId: "2",
  parentId: undefined,
  route: "GET cache",
  method: "GET",
  status: 200,
  tier: "kv",
  from: 0,
  until: 1
}

/** A collector that answers so, and what it was sent. */
const collector = (status: number | "unreachable") => {
  const taken: Array<{ readonly url: string; readonly headers: Headers; readonly body: object }> = []
  const send = (async (url: string, init: RequestInit) => {
    taken.push({ url, headers: new Headers(init.headers), body: JSON.parse(String(init.body)) })
    if (status === "unreachable") throw new TypeError("no connection")
    return new Response("{}", { status })
  }) as typeof fetch
  return { taken, send }
}

describe("the export to an OpenTelemetry collector", () => {
  it.effect("posts metrics, and traces where there are any, with the collector's headers", () =>
    Effect.gen(function* () {
      const { send, taken } = collector(200)
      const to = FigureExportOtlp.make({ endpoint: "https://otlp.test/", headers: { Authorization: "t" }, fetch: send })
      yield* to.send(batch)
      yield* to.send({ ...batch, spans: [span] })
      expect(taken.map(({ url }) => url)).toEqual([
        "https://otlp.test/v1/metrics",
        "https://otlp.test/v1/metrics",
        "https://otlp.test/v1/traces"
      ])
      for (const { headers } of taken) {
        expect(headers.get("Authorization")).toBe("t")
        expect(headers.get("Content-Type")).toBe("application/json")
      }
      expect(taken[0]!.body).toHaveProperty("resourceMetrics")
      expect(taken[2]!.body).toHaveProperty("resourceSpans")
    })
  )

  it.effect("never fails: what is not taken is logged, and not sent again", () =>
    Effect.gen(function* () {
      for (const status of [400, 503, "unreachable"] as const) {
        const { send, taken } = collector(status)
        yield* FigureExportOtlp.make({ endpoint: "https://otlp.test", headers: {}, fetch: send }).send(batch)
        expect(taken.length).toBe(1)
      }
    })
  )
})
