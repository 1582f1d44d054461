import * as Layer from "effect/Layer"
import * as HeadlinesSample from "../../../src/layers/market/HeadlinesSample.ts"
import * as SentimentLexicon from "../../../src/layers/market/SentimentLexicon.ts"
import * as ThrottleMemory from "../../../src/layers/market/ThrottleMemory.ts"
import * as RepositoryStore from "../../../src/layers/repository/RepositoryStore.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import { kvMode } from "../worlds.ts"
import * as ScriptedMarket from "./scriptedMarket.ts"

/** The market desk in KV mode, with prices that can be told to fail. */
export const layer = (told: ScriptedMarket.Script, world: ReturnType<typeof kvMode> = kvMode()) =>
  Layer.mergeAll(ScriptedMarket.layer(told), HeadlinesSample.layer, SentimentLexicon.layer, ThrottleMemory.layer).pipe(
    Layer.provideMerge(RepositoryStore.layer),
    Layer.provideMerge(StaticDataBundled.layerOf()),
    Layer.provideMerge(world)
  )
