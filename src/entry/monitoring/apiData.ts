import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { Access } from "../http/apiAccess.ts"
import { refusal } from "../http/apiProblem.ts"

export const Counts = Schema.Struct({
  reads: Schema.Number,
  writes: Schema.Number,
  deletes: Schema.Number,
  lists: Schema.Number
}).annotations({ identifier: "KvCounts" })

export const ObjectCounts = Schema.Struct({
  requests: Schema.Number,
  rowsRead: Schema.Number,
  rowsWritten: Schema.Number
}).annotations({ identifier: "DurableObjectCounts" })

const Spent = Schema.Struct({
  allowance: Schema.Number,
  spent: Schema.Number.annotations({ description: "by all isolates since 00:00 UTC, as far as this one knows" }),
  mode: Schema.Literal("normal", "saving", "spent")
})

const Budget = Schema.Struct({
  kinds: Schema.partialWith(Schema.Struct({ reads: Spent, writes: Spent, deletes: Spent, lists: Spent }), {
    exact: true
  }),
  resetsAt: Schema.String.annotations({ description: "ISO 8601" })
}).annotations({ identifier: "Budget", description: "daily allowances; null when nothing is limited" })

const figures = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const Ledger = Schema.Struct({
  scope: Schema.Literal("isolate", "all").annotations({ description: "whose operations they are" }),
  since: Schema.String.annotations({ description: "ISO 8601: when counting began" }),
  total: Schema.Struct({
    kv: Counts.annotations({ description: "billed keys" }),
    kvCalls: Counts,
    kvRefused: Counts,
    edge: Schema.Struct({ matches: Schema.Number, puts: Schema.Number, deletes: Schema.Number }),
    durableObject: ObjectCounts,
    durableObjectMillis: Schema.Number,
    other: figures,
    logical: Counts.annotations({ description: "what was asked: without Larder, as many KV operations" })
  }),
  byNamespace: Schema.Record({ key: Schema.String, value: Schema.Struct({ kv: Counts, kvCalls: Counts }) }),
  byCollection: Schema.Record({
    key: Schema.String,
    value: Schema.Struct({ kv: Counts, kvCalls: Counts, logical: Counts })
  }),
  budget: Schema.NullOr(Budget),
  usd: Schema.Struct({
    spent: Schema.Number,
    withoutLarder: Schema.Number,
    saved: Schema.Number,
    pricesAsOf: Schema.String,
    lines: Schema.Unknown.annotations({ description: "`[{item, count, unit, usd, counted}]`" }),
    atRest: Schema.Number.annotations({ description: "a month without any request" }),
    month: Schema.Struct({ list: Schema.Number, plan: Schema.Number }),
    freePlanFirstLimit: Schema.Unknown
  })
}).annotations({ identifier: "Ledger" })

const Health = Schema.Struct({
  status: Schema.Literal("ok", "degraded", "failed").annotations({ description: "`failed`: 503" }),
  mode: Schema.Literal("durable", "kv"),
  store: Schema.Literal("ok", "failed"),
  version: Schema.String,
  bindings: Schema.Record({ key: Schema.String, value: Schema.String }),
  cache: figures,
  performance: figures
}).annotations({ identifier: "Health" })

const BindingStatus = Schema.Literal("ok", "missing", "failed")

const Bindings = Schema.Struct({
  status: Schema.Literal("ok", "failed"),
  data: Schema.Struct({
    critical_bindings_status: Schema.Record({ key: Schema.String, value: BindingStatus }),
    kv_self_test: Schema.NullOr(figures)
  })
}).annotations({ identifier: "Bindings" })

export const data = HttpApiGroup.make("data")
  .add(HttpApiEndpoint.get("health", "/api/v1/data/health").addSuccess(Health).annotate(Access, "public"))
  .add(HttpApiEndpoint.get("bindings", "/api/v1/data/bindings").addSuccess(Bindings))

export const ledger = HttpApiGroup.make("ledger").add(
  HttpApiEndpoint.get("report", "/api/v1/ledger")
    .setUrlParams(Schema.Struct({ scope: optional(Schema.Literal("isolate", "all")) }))
    .addSuccess(Ledger)
    .addError(refusal(503, "with `scope=all`: the object that keeps the figures did not answer"))
    .annotate(OpenApi.Summary, "Every operation that was billed, and what it would have been without Larder")
    .annotate(
      OpenApi.Description,
      "Of the isolate that answers and of what its calls cost in the objects; with `scope=all` of all isolates, those that are gone included, for one Durable Object request. Where nothing brings them together, `scope` of the answer is `isolate`."
    )
)
