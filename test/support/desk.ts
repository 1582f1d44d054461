import * as Layer from "effect/Layer"
import * as AlertRulesStore from "../../src/layers/AlertRulesStore.ts"
import * as HeadlinesSample from "../../src/layers/HeadlinesSample.ts"
import * as MarketDataSample from "../../src/layers/MarketDataSample.ts"
import * as MarketHistoryMarketData from "../../src/layers/MarketHistoryMarketData.ts"
import * as NotifierMemory from "../../src/layers/NotifierMemory.ts"
import * as RepositoryStore from "../../src/layers/RepositoryStore.ts"
import * as SectorsColumnar from "../../src/layers/SectorsColumnar.ts"
import * as SentimentLexicon from "../../src/layers/SentimentLexicon.ts"
import * as ThrottleMemory from "../../src/layers/ThrottleMemory.ts"
import { Notifier } from "../../src/services/Notifier.ts"

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
