import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"

const figures = (identifier: string, description: string) =>
  Schema.Record({ key: Schema.String, value: Schema.Unknown }).annotations({ identifier, description })

const Point = figures(
  "PerformancePoint",
  "`at` (milliseconds since the epoch, where it is one of a series), `requests`, `p50`, `p95`, `p99` (milliseconds), `reads`, `answered` by tier, `hitRatio`, `stale`, `grace`, `errorRatio`, `kv`, `logical`, `durableObject`, `usd`"
)

const Performance = Schema.Struct({
  scope: Schema.Literal("all", "isolate").annotations({
    description: "`all`: all isolates, those that are gone included; `isolate`: in KV mode, the one that answers"
  }),
  since: Schema.String.annotations({ description: "ISO 8601: when counting began" }),
  isolates: Schema.Number.annotations({ description: "that told something in the last quarter of an hour" }),
  total: Point,
  byRoute: Schema.Array(figures("RoutePerformance", "`route`, `tier`, `requests`, `p50`, `p95`, `p99`, `byStatus`")),
  byCollection: Schema.Array(
    figures("CollectionPerformance", "`collection`, `reads`, `answered` by tier, `hitRatio`, `kv`, `logical`")
  ),
  minutes: Schema.Array(Point).annotations({ description: "the last two hours" }),
  hours: Schema.Array(Point).annotations({ description: "the last three days" }),
  days: Schema.Array(Point).annotations({ description: "the last ninety" })
}).annotations({ identifier: "Performance" })

export const monitor = HttpApiGroup.make("monitor")
  .add(
    HttpApiEndpoint.get("performance", "/api/v1/monitor/performance")
      .addSuccess(Performance)
      .annotate(OpenApi.Summary, "What all isolates did: latency, hit ratio, errors and dollars, in all and over time")
      .annotate(
        OpenApi.Description,
        "One Durable Object request; none in KV mode, where an isolate knows only what it did itself."
      )
  )
  .add(
    HttpApiEndpoint.get("metrics", "/api/v1/monitor/metrics")
      .addSuccess(
        Schema.String.pipe(
          HttpApiSchema.withEncoding({ kind: "Text", contentType: "text/plain; version=0.0.4; charset=utf-8" })
        )
      )
      .annotate(OpenApi.Summary, "The same counters for Prometheus")
  )
