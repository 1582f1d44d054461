import type { ExportBatch, RequestSpan } from "../FigureExport.ts"
import { bounds, countersIn, durationName, histogramsIn } from "./OpenMetrics.ts"

// OpenTelemetry's protocol 1 in JSON: 64-bit numbers are text, and ids hexadecimal.

const nanos = (millis: number): string => `${Math.round(millis)}000000`

const attribute = (key: string, value: string | number) => ({
  key,
  value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) }
})

const resourceOf = ({ isolate, version }: ExportBatch) => ({
  attributes: [
    attribute("service.name", "larder"),
    attribute("service.version", version),
    attribute("service.instance.id", isolate)
  ]
})

const scope = { name: "larder" }

/** What was counted between the two moments of the batch, not since the isolate began. */
const delta = 1

/** The body for `/v1/metrics`. */
export const metricsOf = (batch: ExportBatch) => {
  const { figures, from, until } = batch
  const time = { startTimeUnixNano: nanos(from), timeUnixNano: nanos(until) }
  const counters = countersIn(figures).map(({ help, labels, name, samples }) => ({
    name,
    description: help,
    sum: {
      aggregationTemporality: delta,
      isMonotonic: true,
      dataPoints: samples.map(([values, count]) => ({
        ...time,
        attributes: labels.map((label, index) => attribute(label, values[index] ?? "")),
        asDouble: count
      }))
    }
  }))
  const histograms = histogramsIn(figures)
  const duration = {
    name: durationName,
    unit: "s",
    histogram: {
      aggregationTemporality: delta,
      dataPoints: histograms.map(({ count, route, seconds, tier, within }) => ({
        ...time,
        attributes: [attribute("route", route), attribute("tier", tier)],
        count: String(count),
        sum: seconds,
        explicitBounds: bounds,
        bucketCounts: [...within, count].map((upTo, index, all) => String(upTo - (all[index - 1] ?? 0)))
      }))
    }
  }
  const metrics = [...counters, ...(histograms.length === 0 ? [] : [duration])]
  return { resourceMetrics: [{ resource: resourceOf(batch), scopeMetrics: [{ scope, metrics }] }] }
}

const serverKind = 2
const errorStatus = 2

const spanOf = ({ from, method, parentId, route, spanId, status, tier, traceId, until }: RequestSpan) => ({
  traceId,
  spanId,
  ...(parentId === undefined ? {} : { parentSpanId: parentId }),
  name: route,
  kind: serverKind,
  startTimeUnixNano: nanos(from),
  endTimeUnixNano: nanos(until),
  attributes: [
    attribute("http.request.method", method),
    attribute("http.response.status_code", status),
    attribute("larder.tier", tier)
  ],
  status: status >= 500 ? { code: errorStatus } : {}
})

/** The body for `/v1/traces`. */
export const tracesOf = (batch: ExportBatch) => ({
  resourceSpans: [{ resource: resourceOf(batch), scopeSpans: [{ scope, spans: batch.spans.map(spanOf) }] }]
})
