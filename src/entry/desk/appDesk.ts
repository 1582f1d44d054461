import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AlertRulesStore from "../../layers/alerts/AlertRulesStore.ts"
import * as NotifierWebhook from "../../layers/alerts/NotifierWebhook.ts"
import * as RetryPolicyCron from "../../layers/kv/RetryPolicyCron.ts"
import * as HeadlinesSample from "../../layers/market/HeadlinesSample.ts"
import * as MarketDataHttp from "../../layers/market/MarketDataHttp.ts"
import * as MarketDataSample from "../../layers/market/MarketDataSample.ts"
import * as MarketHistoryMarketData from "../../layers/market/MarketHistoryMarketData.ts"
import * as SentimentLexicon from "../../layers/market/SentimentLexicon.ts"
import * as SentimentWorkersAi from "../../layers/market/SentimentWorkersAi.ts"
import * as ThrottleMemory from "../../layers/market/ThrottleMemory.ts"
import * as ThrottleStore from "../../layers/market/ThrottleStore.ts"
import * as RepositoryStore from "../../layers/repository/RepositoryStore.ts"
import type { MarketData } from "../../services/market/MarketData.ts"
import type { Sentiment } from "../../services/market/Sentiment.ts"
import type { Throttle } from "../../services/market/Throttle.ts"
import type { Repository } from "../../services/repository/Repository.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { StaticData } from "../../services/static-data/StaticData.ts"
import type { Env } from "../app.ts"
import { objectsInForce } from "../objectBindings.ts"

const marketData: Layer.Layer<MarketData, never, Settings | StaticData> = Layer.unwrapEffect(
  Effect.map(Settings, ({ marketBaseUrl, marketDeadline, marketSource }) =>
    marketSource === "http"
      ? MarketDataHttp.layer({ baseUrl: marketBaseUrl, deadline: marketDeadline })
      : MarketDataSample.layer
  )
)

const sentiment = ({ AI: ai }: Env): Layer.Layer<Sentiment, never, Settings> =>
  ai === undefined
    ? SentimentLexicon.layer
    : Layer.unwrapEffect(Effect.map(Settings, ({ sentimentModel }) => SentimentWorkersAi.layer(ai, sentimentModel)))

/** What the market desk hears of the world: prices, past ones, news and what they mean. */
export const marketFeeds = (env: Env) =>
  Layer.provideMerge(MarketHistoryMarketData.layer, marketData).pipe(
    Layer.merge(HeadlinesSample.layer),
    Layer.merge(sentiment(env))
  )

/** Shared through the shard where rows cost no KV operation, else each isolate's own. */
const throttle = (env: Env): Layer.Layer<Throttle, never, Repository | Settings> =>
  Layer.unwrapEffect(
    Effect.map(
      Settings,
      (settings): Layer.Layer<Throttle, never, Repository> =>
        objectsInForce(env, settings) === undefined ? ThrottleMemory.layer : ThrottleStore.layer
    )
  )

/** The market desk: its data, its alerts, and who is told. */
export const desk = (env: Env) =>
  Layer.mergeAll(
    AlertRulesStore.layer,
    throttle(env),
    Layer.provide(NotifierWebhook.layer, RetryPolicyCron.layer)
  ).pipe(Layer.provideMerge(RepositoryStore.layer))
