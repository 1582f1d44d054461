import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { Access } from "../http/apiAccess.ts"
import { refusal } from "../http/apiProblem.ts"
import { jsonBody, wholeNumber } from "../http/jsonBody.ts"

const moment = Schema.String.annotations({ description: "ISO 8601" })

const Shown = Schema.Struct({
  name: Schema.String,
  value: Schema.String.annotations({ description: "in force, as the variable is written" }),
  default: Schema.String,
  origin: Schema.Literal("default", "deployed", "runtime"),
  range: Schema.String,
  documentation: Schema.String.annotations({ description: "Markdown" }),
  fixed: optional(Schema.String).annotations({ description: "why it changes with a deployment only" }),
  changedAt: optional(moment),
  changedBy: optional(Schema.String),
  reason: optional(Schema.String),
  until: optional(moment).annotations({ description: "when it ends by itself" })
}).annotations({ identifier: "Setting" })

const Settings = Schema.Struct({
  version: Schema.Number,
  boundSeconds: Schema.Number.annotations({
    description: "how long other isolates may go by what was before, counted from their next call to a shard or to KV"
  }),
  settings: Schema.Array(Shown)
}).annotations({ identifier: "Settings" })

const Patch = Schema.Struct({
  settings: Schema.Record({
    key: Schema.String,
    value: Schema.Unknown.annotations({ description: "text, a number, a boolean, or an object for `COLLECTIONS`" })
  }),
  reason: optional(Schema.String.pipe(Schema.maxLength(300))),
  expiresIn: optional(
    wholeNumber(60, 31_536_000).annotations({
      description: "seconds after which it ends by itself; never without it"
    })
  )
}).annotations({ identifier: "SettingsPatch" })

const Change = Schema.Struct({
  at: moment,
  by: Schema.String.annotations({
    description: "the name of the key (`as:name`), or `key:` and eight digits of its SHA-256; `expiry`"
  }),
  reason: optional(Schema.String),
  name: Schema.String,
  from: Schema.NullOr(Schema.String).annotations({ description: "null: as it was deployed" }),
  to: Schema.NullOr(Schema.String),
  until: optional(moment)
}).annotations({ identifier: "SettingChange" })

const unavailable = refusal(503, "the object, or KV, that keeps the settings did not answer")

export const config = HttpApiGroup.make("config")
  .add(
    HttpApiEndpoint.get("settings", "/api/v1/config")
      .addSuccess(Settings)
      .addError(unavailable)
      .annotate(OpenApi.Summary, "Every setting with value, default, range and origin")
  )
  .add(
    HttpApiEndpoint.patch("change", "/api/v1/config")
      .setPayload(jsonBody(Patch))
      .addSuccess(Settings)
      .addError(refusal(422, "no such setting, or a value that it does not take: `errors` says which"))
      .addError(unavailable)
      .annotate(Access, "admin")
      .annotate(OpenApi.Summary, "Change settings without a deployment")
      .annotate(
        OpenApi.Description,
        "All of them or none. One row of the first object; in KV mode one KV read and write."
      )
  )
  .add(
    HttpApiEndpoint.get("history", "/api/v1/config/history")
      .addSuccess(
        Schema.Struct({ changes: Schema.Array(Change).annotations({ description: "the last 200, the latest first" }) })
      )
      .addError(unavailable)
      .annotate(OpenApi.Summary, "Who changed what, when and why")
  )
  .add(
    HttpApiEndpoint.del("reset", "/api/v1/config/:name")
      .setPath(Schema.Struct({ name: Schema.String }))
      .addSuccess(HttpApiSchema.NoContent)
      .addError(refusal(404, "there is no such setting"))
      .addError(unavailable)
      .annotate(Access, "admin")
      .annotate(OpenApi.Summary, "Back to the deployed value, or the default")
  )
