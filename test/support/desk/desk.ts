import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { cacheApplication } from "../../../src/entry/cacheApplication.ts"
import * as MarketDesk from "../../../src/entry/desk/marketDesk.ts"
import * as AlertRulesStore from "../../../src/layers/alerts/AlertRulesStore.ts"
import * as HeadlinesSample from "../../../src/layers/market/HeadlinesSample.ts"
import * as MarketDataSample from "../../../src/layers/market/MarketDataSample.ts"
import * as MarketHistoryMarketData from "../../../src/layers/market/MarketHistoryMarketData.ts"
import * as SectorsColumnar from "../../../src/layers/market/SectorsColumnar.ts"
import * as SentimentLexicon from "../../../src/layers/market/SentimentLexicon.ts"
import * as ThrottleMemory from "../../../src/layers/market/ThrottleMemory.ts"
import * as NotifierMemory from "../../../src/layers/notifications/NotifierMemory.ts"
import * as RepositoryStore from "../../../src/layers/repository/RepositoryStore.ts"
import { Notifier } from "../../../src/services/notifications/Notifier.ts"

const services = Layer.mergeAll(
  AlertRulesStore.layer,
  ThrottleMemory.layer,
  Layer.provideMerge(MarketHistoryMarketData.layer, MarketDataSample.layer),
  SectorsColumnar.layer,
  HeadlinesSample.layer,
  SentimentLexicon.layer
)

/** What the cache offers the market desk: typed collections over a store, and a receiver of the test's own. */
export const offered = (receiver: NotifierMemory.Receiver = NotifierMemory.receiver()) =>
  Layer.merge(RepositoryStore.layer, Layer.succeed(Notifier, NotifierMemory.make(receiver)))

/** The market desk over a store, with sample prices. */
export const layer = (receiver?: NotifierMemory.Receiver) => Layer.provideMerge(services, offered(receiver))

/** The applications of worker.ts, started, the market desk with sample prices. */
export const running = (variables: Readonly<Record<string, string>> = {}) =>
  Effect.forEach([cacheApplication, MarketDesk.over(() => services)], ({ start }) =>
    start({ MARKET_SOURCE: "sample", ...variables })
  )
