import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { refusal } from "../http/apiProblem.ts"

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
  problems: Schema.Array(
    Schema.Struct({ kind: Schema.String, status: Schema.Number, count: Schema.Number })
  ).annotations({ description: "refusals and failures by the last segment of their problems' types" }),
  crons: Schema.Array(
    Schema.Struct({
      job: Schema.String,
      done: Schema.Number,
      failed: Schema.Number,
      lastAt: Schema.NullOr(Schema.Number).annotations({
        description: "the minute or hour of its last run, milliseconds since the epoch"
      })
    })
  ).annotations({ description: "what crons ran" }),
  bill: figures(
    "MonthlyBill",
    "`month`: `list` and `plan` (the paid plan's included amounts taken off), dollars at this rate; `freePlanFirstLimit`: which limit of the free plan would be met first: `item`, `perDay`, `used`, `afterHours`"
  ),
  byCollection: Schema.Array(
    figures("CollectionPerformance", "`collection`, `reads`, `answered` by tier, `hitRatio`, `kv`, `logical`")
  ),
  minutes: Schema.Array(Point).annotations({ description: "the last two hours" }),
  hours: Schema.Array(Point).annotations({ description: "the last three days" }),
  days: Schema.Array(Point).annotations({ description: "the last ninety" })
}).annotations({ identifier: "Performance" })

const Recommendation = Schema.Struct({
  id: Schema.String,
  title: Schema.String,
  figure: Schema.String,
  setting: optional(Schema.Struct({ name: Schema.String, value: Schema.String })),
  instead: optional(Schema.String).annotations({ description: "what to do where it takes more than a setting" }),
  saves: Schema.Struct({ operationsPerMonth: Schema.Number, usdPerMonth: Schema.Number }),
  risk: Schema.String
}).annotations({ identifier: "Recommendation" })

const DayReport = Schema.Struct({
  date: Schema.String.annotations({ description: "a UTC day" }),
  complete: Schema.Boolean.annotations({ description: "whether the day is over" }),
  saved: Schema.Struct({
    spent: Schema.Number,
    withoutLarder: Schema.Number,
    saved: Schema.Number,
    kvOperations: Schema.Number,
    kvOperationsWithoutLarder: Schema.Number
  }),
  changed: Schema.NullOr(
    Schema.Array(
      Schema.Struct({
        figure: Schema.String,
        before: Schema.NullOr(Schema.Number),
        now: Schema.NullOr(Schema.Number)
      })
    )
  ).annotations({ description: "against the day before; null for the first day" }),
  settings: Schema.Array(
    Schema.Struct({ at: Schema.String, name: Schema.String, by: Schema.String, to: Schema.NullOr(Schema.String) })
  ),
  toDo: Schema.Array(Recommendation),
  text: Schema.Array(Schema.String).annotations({ description: "the same in sentences" })
}).annotations({ identifier: "DayReport" })

const Recommendations = Schema.Struct({
  recommendations: Schema.Array(Recommendation),
  applied: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      setting: Schema.String,
      at: Schema.String,
      expectedUsdPerMonth: Schema.Number,
      measuredUsdPerMonth: Schema.NullOr(Schema.Number).annotations({
        description: "null until there is enough to go by"
      })
    }).annotations({ identifier: "AppliedRecommendation" })
  )
}).annotations({ identifier: "Recommendations" })

const Alert = Schema.Struct({ id: Schema.String, since: Schema.String, message: Schema.String }).annotations({
  identifier: "StandingAlert"
})

const Alerts = Schema.Struct({
  alerts: Schema.Array(Alert),
  history: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      at: Schema.String,
      kind: Schema.Literal("raised", "cleared"),
      message: Schema.String
    })
  ).annotations({ description: "of the last two hours, the latest first" }),
  cap: Schema.NullOr(
    Schema.Struct({
      usd: Schema.Number.annotations({ description: "of a UTC day; in KV mode, this isolate's share" }),
      spent: Schema.Number.annotations({ description: "dollars of this day, as far as this isolate knows" }),
      state: Schema.Literal("normal", "saving", "stale", "reached")
    })
  )
}).annotations({ identifier: "MonitorAlerts" })

const Lately = Schema.Struct({
  requests: Schema.Array(
    Schema.Struct({
      at: Schema.String,
      method: Schema.String,
      path: Schema.String,
      status: Schema.Number,
      tier: Schema.String,
      millis: Schema.Number,
      problem: optional(Schema.String)
    })
  ),
  topKeys: Schema.Array(Schema.Struct({ key: Schema.String, count: Schema.Number, error: Schema.Number })).annotations({
    description: "`collection/key`; asked for at least `count - error` times and at most `count` times"
  })
}).annotations({ identifier: "Lately" })

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
    HttpApiEndpoint.get("stream", "/api/v1/monitor/stream")
      .addSuccess(HttpApiSchema.Text({ contentType: "text/event-stream" }))
      .annotate(OpenApi.Summary, "The same every five seconds, with the last two minutes only, as server-sent events")
      .annotate(OpenApi.Description, "It ends after five minutes; each event is one Durable Object request.")
  )
  .add(
    HttpApiEndpoint.get("recommendations", "/api/v1/monitor/recommendations")
      .addSuccess(Recommendations)
      .annotate(
        OpenApi.Summary,
        "Settings that would save something, by the last two hours, and what came of those followed"
      )
  )
  .add(
    HttpApiEndpoint.get("reports", "/api/v1/monitor/reports")
      .setUrlParams(
        Schema.Struct({ days: optional(Schema.NumberFromString.pipe(Schema.int(), Schema.between(1, 90))) })
      )
      .addSuccess(Schema.Struct({ reports: Schema.Array(DayReport) }))
      .annotate(OpenApi.Summary, "Day by day, the latest first: what was saved, what changed, what to do")
      .annotate(
        OpenApi.Description,
        "`days`: how many, 7 by default, 90 at most. Two Durable Object requests; in KV mode the day of the isolate that answers."
      )
  )
  .add(
    HttpApiEndpoint.get("alerts", "/api/v1/monitor/alerts")
      .addSuccess(Alerts)
      .annotate(OpenApi.Summary, "Thresholds that are passed, and how near the cap of the day is")
  )
  .add(
    HttpApiEndpoint.get("lately", "/api/v1/monitor/lately")
      .addSuccess(Lately)
      .annotate(OpenApi.Summary, "The last requests and the most wanted keys of the isolate that answers")
      .annotate(
        OpenApi.Description,
        "100 requests, hits in memory left out, and 20 keys; of hits in memory one in 32 is looked at and counts for all. Nothing is asked of anyone."
      )
  )
  .add(
    HttpApiEndpoint.get("explain", "/api/v1/monitor/explain")
      .setUrlParams(Schema.Struct({ collection: Schema.String, key: Schema.String }))
      .addSuccess(
        figures("Explained", "where the key lives: `canonical`, `object`, `memory`, `stored`; and `why`, in sentences")
      )
      .addError(refusal(404, "there is no such collection"))
      .annotate(OpenApi.Summary, "Where one key lives, and why")
      .annotate(OpenApi.Description, "At most one Durable Object request, and no KV operation.")
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
