import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { Problem } from "./problem.ts"

const Issue = Schema.Struct({
  pointer: Schema.String.annotations({ description: "JSON pointer into the body" }),
  detail: Schema.String
})

const Body = Schema.Struct({
  type: Schema.String.annotations({ description: "which problem: `/problems/<name>`" }),
  title: Schema.String,
  status: Schema.Number,
  detail: Schema.String,
  instance: optional(Schema.String),
  requestId: optional(
    Schema.String.annotations({ description: "as in the header `X-Request-Id`; the Worker's log has it, too" })
  ),
  retryAfter: optional(Schema.Number.annotations({ description: "seconds" })),
  allow: optional(Schema.Array(Schema.String)),
  errors: optional(Schema.Array(Issue))
}).annotations({ identifier: "Problem", description: "RFC 9457 problem details" })

const FromBody = Schema.transform(Body, Schema.instanceOf(Problem), {
  strict: true,
  decode: (body) => new Problem(body),
  encode: (problem) => problem
})

/** A refusal as it travels, under one status. */
export const refusal = (status: number, description: string): typeof FromBody =>
  FromBody.annotations(HttpApiSchema.annotations({ status, description })).pipe(
    HttpApiSchema.withEncoding({ kind: "Json", contentType: "application/problem+json" })
  )
