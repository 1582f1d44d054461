import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"

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

/** What the application's queries cost. */
export const database = HttpApiGroup.make("database").add(
  HttpApiEndpoint.get("statements", "/api/v1/database/statements").addSuccess(Statements)
)
