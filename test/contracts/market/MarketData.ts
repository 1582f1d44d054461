import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { MarketData } from "../../../src/services/market/MarketData.ts"
import { StaticData } from "../../../src/services/static-data/StaticData.ts"

/** A Wednesday in the middle of a session: 2026-06-10, 12:00 in New York. */
const noon = Date.UTC(2026, 5, 10, 16)

const at = <A, E, R>(now: number, effect: Effect.Effect<A, E, R>) => Effect.zipRight(TestClock.setTime(now), effect)

/** What every provider of prices promises, whatever it is. */
export const contract = (name: string, layer: Layer.Layer<MarketData | StaticData>) =>
  describe(`MarketData: ${name}`, () => {
    it.effect("quotes what was asked for, each symbol once, and leaves out what it does not know", () =>
      Effect.gen(function* () {
        const market = yield* MarketData
        const found = yield* at(noon, market.quotes(["MSFT", "AAPL", "NOBODY", "AAPL", "BRK.B"]))
        assert.deepStrictEqual([...found.keys()].sort(), ["AAPL", "BRK.B", "MSFT"])
        for (const [symbol, quote] of found) assert.strictEqual(quote.symbol, symbol)
        assert.strictEqual((yield* market.quotes([])).size, 0)
        assert.strictEqual((yield* market.quotes(["NOBODY"])).size, 0)
      }).pipe(Effect.provide(layer))
    )

    it.effect("a quote's low, price and high are in order, and it traded in the last session", () =>
      Effect.gen(function* () {
        const market = yield* MarketData
        const data = yield* StaticData
        const symbols = data.symbols.slice(0, 20).map(({ symbol }) => symbol)
        for (const quote of (yield* at(noon, market.quotes(symbols))).values()) {
          assert.isAtMost(quote.low, Math.min(quote.price, quote.open))
          assert.isAtLeast(quote.high, Math.max(quote.price, quote.open))
          assert.isAbove(quote.low, 0)
          assert.isAtMost(quote.at, noon)
          assert.isAbove(quote.at, noon - 3 * 3_600_000)
          assert.isAbove(quote.volume, 0)
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("history is the last sessions that are over, oldest first, and ends on the day asked for", () =>
      Effect.gen(function* () {
        const market = yield* MarketData
        const data = yield* StaticData
        const dates = (days: ReadonlyArray<{ readonly date: string }> | undefined) => days?.map(({ date }) => date)
        const found = yield* at(noon, market.history(["AAPL", "NOBODY"], { days: 30 }))
        assert.deepStrictEqual([...found.keys()], ["AAPL"])
        assert.deepStrictEqual(dates(found.get("AAPL")), data.tradingDays("XNAS", "2026-06-09", 30))
        const until = yield* at(noon, market.history(["AAPL"], { days: 5, upTo: "2026-05-25" }))
        assert.deepStrictEqual(dates(until.get("AAPL")), data.tradingDays("XNAS", "2026-05-22", 5))
        const ahead = yield* at(noon, market.history(["AAPL"], { days: 1, upTo: "2026-12-31" }))
        assert.deepStrictEqual(dates(ahead.get("AAPL")), ["2026-06-09"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("the close of one session is the previous close of the next", () =>
      Effect.gen(function* () {
        const market = yield* MarketData
        const history = yield* at(noon, market.history(["NVDA"], { days: 1 }))
        const quote = (yield* at(noon, market.quotes(["NVDA"]))).get("NVDA")
        assert.strictEqual(quote?.previousClose, history.get("NVDA")?.[0]?.close)
      }).pipe(Effect.provide(layer))
    )
  })
