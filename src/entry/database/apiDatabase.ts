import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { time } from "../files/apiFiles.ts"

const Statements = Schema.Struct({
  statements: Schema.Array(
    Schema.Struct({
      sql: Schema.String.annotations({ description: "literals and placeholders are `?`" }),
      calls: Schema.Number,
      cacheHits: Schema.Number,
      rowsRead: Schema.Number.annotations({ description: "what D1 bills" }),
      rowsReturned: Schema.Number,
      rowsWritten: Schema.Number,
      rowsSaved: Schema.Number.annotations({ description: "rows that cache hits did not read" }),
      millis: Schema.Number.annotations({ description: "in the database, of the calls that reached it" }),
      usd: Schema.Number.annotations({ description: "rows read and written, at list price" })
    })
  )
}).annotations({ identifier: "Statements" })

const Advised = Schema.Struct({
  since: time.annotations({ description: "when recording began" }),
  statements: Schema.Number.annotations({ description: "recorded ones that the advice is for" }),
  advice: Schema.Array(
    Schema.Struct({
      kind: Schema.Literal("create", "drop", "rewrite"),
      statement: Schema.String.annotations({ description: "what to run; of a rewrite, the statement that is meant" }),
      reason: Schema.String,
      rowsSavedPerDay: Schema.Number,
      usdToBuild: Schema.Number,
      usdToKeepPerDay: Schema.Number,
      usdSavedPerDay: Schema.Number,
      planBefore: Schema.Array(Schema.String),
      planAfter: Schema.Array(Schema.String)
    })
  )
}).annotations({ identifier: "DatabaseAdvice" })

/** What the application's queries cost, and which indexes would make them cost less. */
export const database = HttpApiGroup.make("database")
  .add(HttpApiEndpoint.get("statements", "/api/v1/database/statements").addSuccess(Statements))
  .add(HttpApiEndpoint.get("advice", "/api/v1/database/advice").addSuccess(Advised))
