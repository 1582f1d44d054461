import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as MarketHistoryMarketData from "../../../src/layers/market/MarketHistoryMarketData.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import { MarketData, type MarketDataReason } from "../../../src/services/market/MarketData.ts"
import { MarketHistory } from "../../../src/services/market/MarketHistory.ts"
import { StaticData } from "../../../src/services/static-data/StaticData.ts"
import * as ScriptedMarket from "../../support/market/scriptedMarket.ts"

const now = Date.UTC(2026, 5, 10, 16)

const layerOf = (told: ScriptedMarket.Script) =>
  MarketHistoryMarketData.layer.pipe(
    Layer.provideMerge(ScriptedMarket.layer(told)),
    Layer.provideMerge(StaticDataBundled.layerOf())
  )

const closes = (symbols: ReadonlyArray<string>, upTo: string, count: number) =>
  Effect.zipRight(
    TestClock.setTime(now),
    Effect.flatMap(MarketHistory, (history) => history.closes(symbols, upTo, count))
  )

describe("MarketHistoryMarketData", () => {
  it.effect("is the provider's closes in one block, and NaN where it has none", () =>
    Effect.gen(function* () {
      const symbols = ["MSFT", "NOBODY", "AAPL"]
      const block = yield* closes(symbols, "2026-05-25", 30)
      const data = yield* StaticData
      assert.deepStrictEqual(block.days, data.tradingDays("XNYS", "2026-05-22", 30))
      assert.deepStrictEqual(block.symbols, symbols)
      const market = yield* MarketData
      const history = yield* market.history(symbols, { days: 30, upTo: "2026-05-22" })
      for (const [day] of block.days.entries()) {
        for (const [column, symbol] of symbols.entries()) {
          const close = block.closes[day * 3 + column]!
          assert.deepStrictEqual(close, history.get(symbol)?.[day]?.close ?? Number.NaN)
        }
      }
      assert.isNaN(block.weights[1])
      assert.isAbove(block.weights[0]!, 0)
    }).pipe(Effect.provide(layerOf(ScriptedMarket.script())))
  )

  it.effect("the same question has the same answer, whenever it is asked", () =>
    Effect.gen(function* () {
      const before = yield* closes(["AAPL", "XOM"], "2026-06-05", 100)
      yield* TestClock.adjust("90 days")
      const history = yield* MarketHistory
      assert.deepStrictEqual(yield* history.closes(["AAPL", "XOM"], "2026-06-05", 100), before)
    }).pipe(Effect.provide(layerOf(ScriptedMarket.script())))
  )

  const told: ReadonlyArray<readonly [MarketDataReason, string]> = [
    ["RateLimited", "RateLimited"],
    ["Malformed", "Malformed"],
    ["TimedOut", "Unavailable"],
    ["Throttled", "Unavailable"],
    ["Refused", "NoCalendar"]
  ]
  for (const [reason, seen] of told) {
    it.effect(`a provider's ${reason} is ${seen}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(closes(["AAPL"], "2026-06-05", 5))
        assert.strictEqual(error.reason, seen)
      }).pipe(Effect.provide(layerOf({ ...ScriptedMarket.script(), fails: reason })))
    )
  }
})
