import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import { choice, duration, group, text, type Values } from "../settings/model/Setting.ts"

const declared = {
  marketSource: choice({
    variable: "MARKET_SOURCE",
    default: "off",
    among: ["off", "sample", "http"],
    documentation:
      "Where prices come from: nowhere (503 `no-market-source`), generated ones with invented headlines, or the service at `MARKET_BASE_URL`."
  }),
  marketBaseUrl: text({
    variable: "MARKET_BASE_URL",
    default: "https://query1.finance.yahoo.com",
    allowed: "a URL of http or https, without a query",
    pattern: /^https?:\/\/[\w.:[\]-]+(\/[^\s?#]*)?$/,
    documentation: "A service like Yahoo's charts: `/v8/finance/chart/{symbol}` is appended."
  }),
  marketDeadline: duration({
    variable: "MARKET_DEADLINE",
    default: Duration.seconds(3),
    documentation:
      "How long the provider of prices may take for one symbol, and until when quotes of further ones are asked for."
  }),
  quoteStreamInterval: duration({
    variable: "QUOTE_STREAM_INTERVAL",
    default: Duration.seconds(5),
    documentation: "How often a stream of quotes looks for changes."
  }),
  quoteStreamLife: duration({
    variable: "QUOTE_STREAM_LIFE",
    default: Duration.minutes(5),
    documentation: "After how long a stream of quotes ends; clients connect again by themselves."
  }),
  sentimentModel: text({
    variable: "SENTIMENT_MODEL",
    default: "@cf/huggingface/distilbert-sst-2-int8",
    allowed: "the name of a text classifier of Workers AI",
    documentation: "Reads headlines, where there is a binding `AI`."
  })
}

/** The settings of the market desk. */
export class MarketSettings extends Context.Tag("larder/MarketSettings")<MarketSettings, Values<typeof declared>>() {}

export const marketSettings = group(MarketSettings, declared)
