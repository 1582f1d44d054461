import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { refusal } from "../http/apiProblem.ts"

const version = Schema.String.annotations({ description: "changes with the content; also the ETag" })

const SymbolRow = Schema.Struct({
  symbol: Schema.String,
  name: Schema.String,
  exchange: Schema.String.annotations({ description: "ISO 10383" }),
  sector: Schema.NullOr(Schema.String).annotations({ description: "id in the table `sectors`; null for the market" }),
  kind: Schema.Literal("stock", "sector", "market"),
  currency: Schema.String.annotations({ description: "ISO 4217" })
}).annotations({ identifier: "Symbol" })

const Table = Schema.Struct({
  name: Schema.String,
  edition: optional(Schema.String.annotations({ description: "of the list that it follows: of ISO 4217, the date" })),
  version,
  rows: Schema.Array(Schema.Unknown)
}).annotations({ identifier: "StaticTable" })

export const statics = HttpApiGroup.make("static")
  .add(
    HttpApiEndpoint.get("symbols", "/api/v1/data/symbols")
      .setUrlParams(
        Schema.Struct({
          sector: optional(Schema.String.annotations({ description: "id in the table `sectors`" })),
          exchange: optional(Schema.String.annotations({ description: "id in the table `exchanges`" }))
        })
      )
      .addSuccess(Schema.Struct({ version, symbols: Schema.Array(SymbolRow) }).annotations({ identifier: "Symbols" }))
  )
  .add(
    HttpApiEndpoint.get("symbol", "/api/v1/data/symbols/:symbol")
      .setPath(Schema.Struct({ symbol: Schema.String }))
      .addSuccess(SymbolRow)
      .addError(refusal(404, "no such symbol"))
  )
  .add(
    HttpApiEndpoint.get("table", "/api/v1/data/static/:table")
      .setPath(Schema.Struct({ table: Schema.String }))
      .addSuccess(Table)
      .addError(refusal(404, "no such table"))
  )
