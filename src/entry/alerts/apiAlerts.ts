import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { alertTerms } from "../../services/alerts/model/AlertRule.ts"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { FailureClass } from "../../services/market/Throttle.ts"
import { Access } from "../http/apiAccess.ts"
import { refusal } from "../http/apiProblem.ts"
import { jsonBody } from "../http/jsonBody.ts"

const moment = Schema.String.annotations({ description: "ISO 8601" })

const count = Schema.Int.pipe(Schema.nonNegative())

const { condition, cooldownSeconds, enabled, hysteresisPercent, symbol, webhook } = alertTerms

/** A rule as it is asked for. */
const Draft = Schema.Struct({
  symbol: Schema.transform(Schema.String, symbol, {
    strict: true,
    decode: (text) => text.trim().toUpperCase(),
    encode: (text) => text
  }).annotations({ description: "one of `/api/v1/data/symbols`" }),
  condition,
  cooldownSeconds: optional(
    cooldownSeconds.annotations({ description: "between two firings, at least; 3,600 without it" })
  ),
  hysteresisPercent: optional(
    hysteresisPercent.annotations({
      description:
        "how far the price must go back behind the threshold before the rule fires again: percent of it, 0.5 without; for `percent-change` percentage points, a tenth of `percent` without"
    })
  ),
  enabled: optional(enabled.annotations({ description: "true without it" })),
  webhook
})
  .pipe(
    Schema.filter(({ condition, hysteresisPercent }) =>
      condition.kind === "percent-change" &&
      hysteresisPercent !== undefined &&
      hysteresisPercent >= Math.abs(condition.percent)
        ? { path: ["hysteresisPercent"], message: "must be less than the change itself" }
        : undefined
    )
  )
  .annotations({ identifier: "AlertDraft" })

export type Draft = Schema.Schema.Type<typeof Draft>

const State = Schema.Struct({
  evaluatedAt: moment,
  quoteAt: moment,
  price: Schema.Number,
  armed: Schema.Boolean.annotations({ description: "whether it fires when its condition holds" }),
  firings: count,
  firedAt: Schema.NullOr(moment),
  average: Schema.NullOr(Schema.Number),
  pending: Schema.NullOr(
    Schema.Struct({
      key: Schema.String,
      firedAt: moment,
      attempts: count,
      notBefore: Schema.NullOr(moment).annotations({ description: "when its receiver asked to be told again" })
    })
  ).annotations({
    description: "a notification that its receiver has not taken yet"
  })
}).annotations({ identifier: "AlertState" })

const Alert = Schema.Struct({
  id: Schema.String,
  symbol: Schema.String,
  condition: Schema.typeSchema(condition),
  cooldownSeconds: Schema.Number,
  hysteresisPercent: Schema.Number,
  enabled: Schema.Boolean,
  webhook: Schema.NullOr(Schema.String),
  webhookGoneAt: Schema.NullOr(moment).annotations({
    description: "when the webhook answered 410 and was switched off; null while it is on"
  }),
  createdAt: moment,
  state: Schema.NullOr(State).annotations({ description: "null before its first sweep" })
}).annotations({ identifier: "Alert" })

const Alerts = Schema.Struct({
  alerts: Schema.Array(Alert),
  throttle: Schema.Struct({
    scope: Schema.Literal("isolate", "shared").annotations({
      description: "who shares what is known of failing providers: `isolate`, each for itself (KV mode); `shared`, all"
    }),
    blocked: Schema.Array(
      Schema.Struct({ provider: Schema.String, failureClass: FailureClass, failures: count, until: moment })
    ).annotations({ description: "providers that are left alone, as far as this isolate knows" })
  })
}).annotations({ identifier: "Alerts" })

const Letter = Schema.Struct({
  key: Schema.String.annotations({ description: "the idempotency key" }),
  alert: Schema.String.annotations({ description: "the rule's id" }),
  target: Schema.String,
  body: Schema.String.annotations({ description: "as it was sent" }),
  reason: Schema.String,
  attempts: count,
  firedAt: moment,
  givenUpAt: moment
}).annotations({ identifier: "DeadLetter" })

const Sweep = Schema.Struct({
  at: moment,
  rules: count.annotations({ description: "enabled ones" }),
  evaluated: count,
  fired: count,
  written: count.annotations({ description: "states that the store took" }),
  notWritten: count.annotations({ description: "states that it did not: their rules are evaluated again next time" }),
  delivered: count,
  waiting: count.annotations({ description: "notifications left to a later sweep" }),
  deadLettered: count
}).annotations({ identifier: "AlertSweep" })

const id = Schema.Struct({ id: Schema.String })

const noSuchAlert = refusal(404, "no such alert")

export const alerts = HttpApiGroup.make("alerts")
  .add(HttpApiEndpoint.get("list", "/api/v1/alerts").addSuccess(Alerts))
  .add(
    HttpApiEndpoint.post("create", "/api/v1/alerts")
      .setPayload(jsonBody(Draft))
      .addSuccess(Alert.annotations(HttpApiSchema.annotations({ status: 201, description: "`Location` names it" })))
      .addError(refusal(409, "there are as many alerts as there may be"))
      .addError(
        refusal(422, "not a rule, an unknown symbol, or an address that may not be notified: `errors` says where")
      )
  )
  .add(
    HttpApiEndpoint.get("deadLetters", "/api/v1/alerts/dead-letters")
      .setUrlParams(Schema.Struct({ cursor: optional(Schema.String) }))
      .addSuccess(Schema.Struct({ deadLetters: Schema.Array(Letter), cursor: Schema.NullOr(Schema.String) }))
  )
  .add(
    HttpApiEndpoint.post("resend", "/api/v1/alerts/dead-letters/:key/send")
      .setPath(Schema.Struct({ key: Schema.String }))
      .addSuccess(Letter)
      .addError(refusal(404, "no such dead letter"))
      .addError(refusal(502, "its receiver did not take it: it stays a dead letter, and `Retry-After` may say when"))
  )
  .add(HttpApiEndpoint.get("get", "/api/v1/alerts/:id").setPath(id).addSuccess(Alert).addError(noSuchAlert))
  .add(
    HttpApiEndpoint.del("remove", "/api/v1/alerts/:id")
      .setPath(id)
      .addSuccess(HttpApiSchema.Empty(204))
      .addError(noSuchAlert)
  )
  .add(HttpApiEndpoint.post("sweep", "/api/v1/admin/cron/alerts").addSuccess(Sweep).annotate(Access, "admin"))
