import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MarketDataSample from "../../../src/layers/market/MarketDataSample.ts"
import { MarketData, MarketDataError, type MarketDataReason } from "../../../src/services/market/MarketData.ts"

import { StaticData } from "../../../src/services/static-data/StaticData.ts"

/** The sample as a provider that can be told to fail, and that remembers what it was asked for. */
export interface Script {
  fails: MarketDataReason | undefined
  retryAfter?: number
  /** Symbols that are left out of its answers. */
  readonly without: Set<string>
  readonly asked: Array<ReadonlyArray<string>>
}

export const script = (): Script => ({ fails: undefined, without: new Set(), asked: [] })

export const layer = (told: Script): Layer.Layer<MarketData, never, StaticData> =>
  Layer.effect(
    MarketData,
    Effect.map(StaticData, (data) => {
      const sample = MarketDataSample.make(data)
      const answering = <A>(
        operation: MarketDataError["operation"],
        symbols: ReadonlyArray<string>,
        answer: Effect.Effect<ReadonlyMap<string, A>, MarketDataError>
      ) =>
        Effect.suspend((): Effect.Effect<ReadonlyMap<string, A>, MarketDataError> => {
          told.asked.push(symbols)
          const { fails: reason, retryAfter } = told
          if (reason !== undefined) {
            const more = retryAfter === undefined ? {} : { retryAfter }
            return Effect.fail(new MarketDataError({ operation, reason, ...more }))
          }
          return Effect.map(answer, (found) => new Map([...found].filter(([symbol]) => !told.without.has(symbol))))
        })
      return {
        provider: "scripted",
        quotes: (symbols) => answering("quotes", symbols, sample.quotes(symbols)),
        history: (symbols, options) => answering("history", symbols, sample.history(symbols, options))
      }
    })
  )
