import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { DailyReport } from "../../services/market/model/DailyReport.ts"
import { Signal } from "../../services/market/model/Signal.ts"
import { Scored, SentimentLabel } from "../../services/market/Sentiment.ts"
import { Access } from "../http/apiAccess.ts"
import { refusal } from "../http/apiProblem.ts"
import { jsonBody } from "../http/jsonBody.ts"
import { maxSymbols } from "./symbolList.ts"

const time = Schema.String.annotations({ description: "ISO 8601" })

const Symbols = Schema.Struct({
  symbols: Schema.String.annotations({ description: `tickers separated by commas, in any case, at most ${maxSymbols}` })
})

const Quote = Schema.Struct({
  symbol: Schema.String,
  price: Schema.Number,
  currency: Schema.String,
  at: time.annotations({ description: "ISO 8601: of the last trade" }),
  previousClose: Schema.Number,
  change: Schema.Number.annotations({ description: "since the close before; 0.01 is one percent" }),
  open: Schema.Number,
  high: Schema.Number,
  low: Schema.Number,
  volume: Schema.Number,
  source: Schema.String.annotations({ description: "the provider; `sample`: invented" }),
  stale: Schema.Boolean.annotations({ description: "the provider fails: this is the last that was known" })
}).annotations({ identifier: "MarketQuote" })

const unavailable = Schema.Array(Schema.String).annotations({ description: "symbols that could not be had just now" })

const Quotes = Schema.Struct({ asOf: time, quotes: Schema.Array(Quote), unavailable }).annotations({
  identifier: "Quotes"
})

const Analysis = Schema.Struct({
  symbol: Schema.String,
  at: time,
  ...Scored.fields,
  source: Schema.String.annotations({ description: "`sample`: invented" }),
  stale: Schema.Boolean,
  headlines: Schema.Array(
    Schema.Struct({ title: Schema.String, publishedAt: time, score: Schema.Number, label: SentimentLabel })
  )
}).annotations({ identifier: "SentimentAnalysis" })

/** The most headlines that one request may bring, and the characters of one. */
export const maxHeadlines = 100
const maxCharacters = 1000

const Written = Schema.Struct({
  headlines: Schema.Array(Schema.NonEmptyString.pipe(Schema.maxLength(maxCharacters))).pipe(
    Schema.minItems(1),
    Schema.maxItems(maxHeadlines)
  )
}).annotations({ identifier: "Headlines" })

const Report = Schema.Struct({ ...DailyReport.fields, publishedAt: time }).annotations({ identifier: "DailyReport" })

const noSuchSymbol = refusal(404, "a symbol that is not known here")

export const market = HttpApiGroup.make("market")
  .add(HttpApiEndpoint.get("quotes", "/api/v1/quotes").setUrlParams(Symbols).addSuccess(Quotes).addError(noSuchSymbol))
  .add(
    HttpApiEndpoint.get("stream", "/api/v1/quotes/stream")
      .setUrlParams(Symbols)
      .addSuccess(HttpApiSchema.Text({ contentType: "text/event-stream" }))
      .addError(noSuchSymbol)
  )
  .add(
    HttpApiEndpoint.get("sentiment", "/api/v1/sentiment/analysis")
      .setUrlParams(Symbols)
      .addSuccess(
        Schema.Struct({ analyses: Schema.Array(Analysis), unavailable }).annotations({ identifier: "Sentiment" })
      )
      .addError(noSuchSymbol)
  )
  .add(
    HttpApiEndpoint.post("score", "/api/v1/sentiment/analysis")
      .setPayload(jsonBody(Written))
      .addSuccess(
        Schema.Struct({ ...Scored.fields, headlines: Schema.Array(Scored) }).annotations({ identifier: "Scores" })
      )
      .addError(refusal(422, "not a list of headlines: `errors` says where"))
      .annotate(Access, "read")
  )
  .add(
    HttpApiEndpoint.get("signals", "/api/v1/signals")
      .setUrlParams(
        Schema.Struct({
          symbol: optional(Schema.String.annotations({ description: "one ticker; all without it" })),
          since: optional(Schema.String.annotations({ description: "YYYY-MM-DD; 30 days ago without it" }))
        })
      )
      .addSuccess(
        Schema.Struct({
          since: Schema.String,
          signals: Schema.Array(
            Schema.Struct({
              ...Signal.fields,
              outcome: Schema.NullOr(
                Schema.Struct({
                  due: Schema.String,
                  close: Schema.Number,
                  return: Schema.Number,
                  right: Schema.Boolean
                })
              ).annotations({ description: "null until its horizon is over" })
            })
          )
        }).annotations({ identifier: "Signals" })
      )
      .addError(noSuchSymbol)
  )
  .add(
    HttpApiEndpoint.get("report", "/api/v1/reports/daily/:date")
      .setPath(Schema.Struct({ date: Schema.String.annotations({ description: "YYYY-MM-DD" }) }))
      .addSuccess(Report)
      .addError(refusal(404, "no report: the detail says whether there will be one"))
  )
  .add(
    HttpApiEndpoint.post("publish", "/api/v1/admin/cron/report")
      .addSuccess(
        Schema.Struct({
          published: Schema.Boolean.annotations({ description: "false when it had been published before" }),
          report: Report
        }).annotations({ identifier: "PublishedReport" })
      )
      .annotate(Access, "admin")
  )
