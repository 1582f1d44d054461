import * as Layer from "effect/Layer"
import * as AlertRulesStore from "../../../src/layers/alerts/AlertRulesStore.ts"
import * as NotifierMemory from "../../../src/layers/alerts/NotifierMemory.ts"
import * as HeadlinesSample from "../../../src/layers/market/HeadlinesSample.ts"
import * as MarketDataSample from "../../../src/layers/market/MarketDataSample.ts"
import * as MarketHistoryMarketData from "../../../src/layers/market/MarketHistoryMarketData.ts"
import * as SectorsColumnar from "../../../src/layers/market/SectorsColumnar.ts"
import * as SentimentLexicon from "../../../src/layers/market/SentimentLexicon.ts"
import * as ThrottleMemory from "../../../src/layers/market/ThrottleMemory.ts"
import * as RepositoryStore from "../../../src/layers/repository/RepositoryStore.ts"
import { Notifier } from "../../../src/services/alerts/Notifier.ts"

/** The market desk over a store, with sample prices and a receiver of the test's own. */
export const layer = (receiver: NotifierMemory.Receiver = NotifierMemory.receiver()) =>
  Layer.mergeAll(
    AlertRulesStore.layer,
    ThrottleMemory.layer,
    Layer.provideMerge(MarketHistoryMarketData.layer, MarketDataSample.layer),
    SectorsColumnar.layer,
    HeadlinesSample.layer,
    SentimentLexicon.layer,
    Layer.succeed(Notifier, NotifierMemory.make(receiver))
  ).pipe(Layer.provideMerge(RepositoryStore.layer))
