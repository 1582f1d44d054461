import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { type Window, windows } from "../../services/market/Sectors.ts"
import { refusal } from "../http/apiProblem.ts"

const figure = Schema.NullOr(Schema.Number)

const described = (description: string) => figure.annotations({ description })

const id = Schema.String.annotations({ description: "id in the table `sectors`" })

const Returns = Schema.Struct(
  Object.fromEntries(Object.entries(windows).map(([name, days]) => [name, described(`over ${days} trading days`)])) as {
    readonly [W in Window]: typeof figure
  }
)

const Sector = Schema.Struct({
  id,
  name: Schema.String,
  etf: Schema.String.annotations({ description: "the fund that follows it" }),
  weight: described("share of the weight of all symbols"),
  returns: Returns.annotations({ description: "0.01 is one percent; null where closes are missing, as below" }),
  volatility: described("of a year, from the daily returns of a quarter"),
  breadth: described("share of the members above their mean close of 50 days"),
  momentum: described("return from 252 to 21 days ago"),
  relativeStrength: described("return of a quarter beyond the market's"),
  quadrant: Schema.NullOr(Schema.Literal("leading", "weakening", "lagging", "improving")).annotations({
    description: "of the rotation: whether it gains on the market, and whether ever more"
  }),
  rotation: Schema.Struct({ strength: figure, momentum: figure })
}).annotations({ identifier: "SectorFigures" })

const contribution = Schema.Number.annotations({ description: "to the move; 0.01 is one percentage point" })

const Snapshot = Schema.Struct({
  asOf: Schema.String.annotations({ description: "the trading day whose closes these are" }),
  source: Schema.String.annotations({ description: "of the prices; `sample`: invented" }),
  sectors: Schema.Array(Sector),
  correlation: Schema.Array(Schema.Array(figure)).annotations({
    description: "of the daily returns of a quarter, rows and columns in the order of `sectors`"
  }),
  drivers: Schema.Struct({
    move: described("the day's return of all symbols by weight"),
    market: described("the day's return of the market's fund"),
    sectors: Schema.Array(Schema.Struct({ id, contribution })),
    symbols: Schema.Array(Schema.Struct({ symbol: Schema.String, sector: id, change: Schema.Number, contribution }))
  }).annotations({ description: "what made the day's move, the largest first" })
}).annotations({ identifier: "SectorSnapshot" })

export const sectors = HttpApiGroup.make("sectors").add(
  HttpApiEndpoint.get("snapshot", "/api/v1/sectors/snapshot")
    .setUrlParams(
      Schema.Struct({
        asOf: Schema.optionalWith(
          Schema.String.annotations({ description: "`YYYY-MM-DD`; without it, the last trading day that is over" }),
          { exact: true }
        )
      })
    )
    .addSuccess(Snapshot)
    .addError(refusal(404, "no prices are known of that day"))
)
