import { describe, expect, it } from "vitest"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import type { ExportBatch } from "../../../src/services/monitoring/FigureExport.ts"
import { mostPoints, pointsOf } from "../../../src/services/monitoring/model/AnalyticsPoints.ts"
import type { Figures } from "../../../src/services/monitoring/model/Figures.ts"
import { bucketOf } from "../../../src/services/monitoring/model/LatencySketch.ts"
import { metricsOf, tracesOf } from "../../../src/services/monitoring/model/Otlp.ts"

const shape = LedgerMemory.make(0).report().total

const many: Figures = Object.fromEntries(
  Array.from({ length: 64 }, (_, index) => [
    [`requests|GET ${"route".repeat(5)}${index}|memory|200`, index + 1],
    [`ms|GET ${"route".repeat(5)}${index}|memory|${bucketOf(index)}`, index + 1]
  ]).flat()
)

const batch: ExportBatch = {
  isolate: "i1",
  version: "1",
  from: 1_000,
  until: 61_000,
  figures: {
    "requests|GET cache|memory|200": 3,
    "ms|GET cache|memory|0": 2,
    [`ms|GET cache|memory|${bucketOf(30)}`]: 1,
    "ledger|kv|reads": 5,
    "collection|default|kv|reads": 5
  },
  spans: [
    {
      traceId: "0".repeat(31) + 1,
      spanId: "0".repeat(15) + 2,
      parentId: undefined,
      route: "GET cache",
      method: "GET",
      status: 503,
      tier: "-",
      from: 1_500,
      until: 1_512
    }
  ]
}

describe("points for Analytics Engine", () => {
  it("keep within Cloudflare's limits, the routes with most requests first", () => {
    const points = pointsOf({ ...many, "answered|memory": 10 }, shape, crypto.randomUUID())
    expect(points.length).toBe(mostPoints)
    for (const { blobs, doubles, indexes } of points) {
      expect(blobs.length).toBeLessThanOrEqual(20)
      expect(doubles.length).toBeLessThanOrEqual(20)
      expect(doubles.every(Number.isFinite)).toBe(true)
      expect(new TextEncoder().encode(indexes[0]).byteLength).toBeLessThanOrEqual(96)
      expect(new TextEncoder().encode(blobs.join("")).byteLength).toBeLessThan(16 << 10)
    }
    expect(points[0]!.blobs[0]).toBe("totals")
    expect(points[1]!.doubles[0]).toBe(64)
    expect(points[2]!.doubles[0]).toBe(63)
  })

  it("are none where nothing was counted", () => {
    expect(pointsOf({}, shape, "i")).toEqual([])
  })
})

describe("OTLP", () => {
  it("has every counter as a monotonic delta, and the histogram's buckets one by one", () => {
    const { metrics } = metricsOf(batch).resourceMetrics[0]!.scopeMetrics[0]!
    const byName = new Map<string, unknown>(metrics.map((metric) => [metric.name, metric]))
    expect(byName.get("larder_kv_operations")).toMatchObject({
      sum: {
        aggregationTemporality: 1,
        isMonotonic: true,
        dataPoints: [
          {
            startTimeUnixNano: "1000000000",
            timeUnixNano: "61000000000",
            attributes: [{ key: "kind", value: { stringValue: "reads" } }],
            asDouble: 5
          }
        ]
      }
    })
    expect(byName.get("larder_collection_kv_operations")).toMatchObject({
      sum: { dataPoints: [{ attributes: [{ key: "collection" }, { key: "kind" }], asDouble: 5 }] }
    })
    const duration = byName.get("larder_request_duration_seconds") as {
      histogram: { dataPoints: [{ count: string; bucketCounts: Array<string>; explicitBounds: Array<number> }] }
    }
    const [point] = duration.histogram.dataPoints
    expect(point.count).toBe("3")
    expect(point.bucketCounts.length).toBe(point.explicitBounds.length + 1)
    expect(point.bucketCounts.reduce((sum, one) => sum + Number(one), 0)).toBe(3)
    expect(point.bucketCounts[0]).toBe("2")
  })

  it("has a span for each request, with its failure", () => {
    const { resourceSpans } = tracesOf(batch)
    expect(resourceSpans[0]!.scopeSpans[0]!.spans).toEqual([
      {
        traceId: "00000000000000000000000000000001",
        spanId: "0000000000000002",
        name: "GET cache",
        kind: 2,
        startTimeUnixNano: "1500000000",
        endTimeUnixNano: "1512000000",
        attributes: [
          { key: "http.request.method", value: { stringValue: "GET" } },
          { key: "http.response.status_code", value: { intValue: "503" } },
          { key: "larder.tier", value: { stringValue: "-" } }
        ],
        status: { code: 2 }
      }
    ])
  })
})
