import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AlertRulesStore from "../../layers/alerts/AlertRulesStore.ts"
import * as HeadlinesOff from "../../layers/market/HeadlinesOff.ts"
import * as HeadlinesSample from "../../layers/market/HeadlinesSample.ts"
import * as MarketDataHttp from "../../layers/market/MarketDataHttp.ts"
import * as MarketDataSample from "../../layers/market/MarketDataSample.ts"
import * as MarketHistoryMarketData from "../../layers/market/MarketHistoryMarketData.ts"
import * as SectorsColumnar from "../../layers/market/SectorsColumnar.ts"
import * as SentimentLexicon from "../../layers/market/SentimentLexicon.ts"
import * as SentimentWorkersAi from "../../layers/market/SentimentWorkersAi.ts"
import * as ThrottleMemory from "../../layers/market/ThrottleMemory.ts"
import * as ThrottleStore from "../../layers/market/ThrottleStore.ts"
import type { Headlines } from "../../services/market/Headlines.ts"
import type { MarketData } from "../../services/market/MarketData.ts"
import { MarketSettings } from "../../services/market/MarketSettings.ts"
import type { Sentiment } from "../../services/market/Sentiment.ts"
import type { Throttle } from "../../services/market/Throttle.ts"
import type { Repository } from "../../services/repository/Repository.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { StaticData } from "../../services/static-data/StaticData.ts"

export interface DeskEnv {
  /** Workers AI reads headlines where it is bound, a lexicon where it is not. */
  readonly AI?: SentimentWorkersAi.AiBinding
}

const marketData: Layer.Layer<MarketData, never, MarketSettings | StaticData> = Layer.unwrapEffect(
  Effect.map(MarketSettings, ({ marketBaseUrl, marketDeadline, marketSource }) =>
    marketSource === "sample"
      ? MarketDataSample.layer
      : MarketDataHttp.layer({ baseUrl: marketBaseUrl, deadline: marketDeadline })
  )
)

/** Invented headlines beside invented prices; beside real ones, none. */
const headlines: Layer.Layer<Headlines, never, MarketSettings | StaticData> = Layer.unwrapEffect(
  Effect.map(MarketSettings, ({ marketSource }) =>
    marketSource === "sample" ? HeadlinesSample.layer : HeadlinesOff.layer
  )
)

const sentiment = ({ AI: ai }: DeskEnv): Layer.Layer<Sentiment, never, MarketSettings> =>
  ai === undefined
    ? SentimentLexicon.layer
    : Layer.unwrapEffect(
        Effect.map(MarketSettings, ({ sentimentModel }) => SentimentWorkersAi.layer(ai, sentimentModel))
      )

/** Shared through the shard where rows cost no KV operation, else each isolate's own. */
const throttle: Layer.Layer<Throttle, never, Repository | Settings> = Layer.unwrapEffect(
  Effect.map(
    Settings,
    ({ durableMode }): Layer.Layer<Throttle, never, Repository> =>
      durableMode ? ThrottleStore.layer : ThrottleMemory.layer
  )
)

export const layer = (env: DeskEnv) =>
  Layer.mergeAll(
    AlertRulesStore.layer,
    throttle,
    Layer.provideMerge(MarketHistoryMarketData.layer, marketData),
    SectorsColumnar.layer,
    headlines,
    sentiment(env)
  )

export type DeskLayer = ReturnType<typeof layer>
