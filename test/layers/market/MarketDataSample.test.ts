import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as MarketDataSample from "../../../src/layers/market/MarketDataSample.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import { MarketData } from "../../../src/services/market/MarketData.ts"
import type { Quote } from "../../../src/services/market/model/Quote.ts"
import { StaticData } from "../../../src/services/static-data/StaticData.ts"
import { contract } from "../../contracts/market/MarketData.ts"
import { runs } from "../../support/runs.ts"

const layer = Layer.provideMerge(MarketDataSample.layer, StaticDataBundled.layerOf())

contract("sample", layer)

const minute = 60_000

const quotesAt = (now: number, symbols: ReadonlyArray<string>) =>
  Effect.zipRight(
    TestClock.setTime(now),
    Effect.flatMap(MarketData, (market) => market.quotes(symbols))
  )

const quoteAt = (now: number, symbol = "AAPL") => Effect.map(quotesAt(now, [symbol]), (found) => found.get(symbol)!)

const traded = ({ at: _, ...quote }: Quote) => quote

/** Daily logarithmic returns of three years. */
const returnsOf = (symbols: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.UTC(2026, 9, 1))
    const market = yield* MarketData
    const history = yield* market.history(symbols, { days: 757 })
    return new Map(
      [...history].map(([symbol, days]) => [
        symbol,
        days.slice(1).map(({ close }, index) => Math.log(close / days[index]!.close))
      ])
    )
  })

const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length

const covariance = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => {
  const [x, y] = [mean(a), mean(b)]
  return mean(a.map((value, index) => (value - x) * (b[index]! - y)))
}

const correlation = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) =>
  covariance(a, b) / Math.sqrt(covariance(a, a) * covariance(b, b))

describe("MarketDataSample", () => {
  it.effect("is a function of symbol and time: whatever is asked with it, or was before", () =>
    Effect.gen(function* () {
      const data = yield* StaticData
      const names = data.symbols.map(({ symbol }) => symbol)
      const asked = fc.sample(
        fc.record({
          now: fc.integer({ min: Date.UTC(2024, 0, 2), max: Date.UTC(2027, 11, 31) }),
          symbols: fc.uniqueArray(fc.constantFrom(...names), { minLength: 2, maxLength: 8 })
        }),
        { numRuns: runs(60), seed: 7 }
      )
      for (const { now, symbols } of asked) {
        const together = yield* quotesAt(now, symbols)
        for (const symbol of symbols) {
          const fresh = Layer.fresh(layer)
          assert.deepStrictEqual(yield* Effect.provide(quoteAt(now, symbol), fresh), together.get(symbol))
        }
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("prices move continuously inside a session, volume only up, and open where the gap left them", () =>
    Effect.gen(function* () {
      const open = Date.UTC(2026, 5, 10, 13, 30)
      let before = yield* quoteAt(open)
      assert.strictEqual(before.price, before.open)
      assert.notStrictEqual(before.open, before.previousClose)
      const moves: Array<number> = []
      for (let now = open + minute; now <= open + 390 * minute; now += minute) {
        const quote = yield* quoteAt(now)
        moves.push(Math.abs(Math.log(quote.price / before.price)))
        assert.isAtLeast(quote.volume, before.volume)
        assert.isAtLeast(quote.high, before.high)
        assert.isAtMost(quote.low, before.low)
        assert.strictEqual(quote.open, before.open)
        before = quote
      }
      assert.isBelow(Math.max(...moves), 0.01)
      assert.isAbove(Math.max(...moves), 0)
      const third = moves.length / 3
      assert.isAbove(mean(moves.slice(0, third)), mean(moves.slice(third, 2 * third)))
    }).pipe(Effect.provide(layer))
  )

  it.effect("nothing trades outside of the sessions: nights, weekends, holidays, after early closes", () =>
    Effect.gen(function* () {
      for (const [from, until] of [
        [Date.UTC(2026, 5, 10, 20), Date.UTC(2026, 5, 11, 13, 29)],
        [Date.UTC(2026, 5, 12, 20), Date.UTC(2026, 5, 15, 13, 29)],
        [Date.UTC(2026, 10, 25, 21), Date.UTC(2026, 10, 27, 14, 29)],
        [Date.UTC(2026, 10, 27, 18), Date.UTC(2026, 10, 30, 14, 29)]
      ] as const) {
        const last = yield* quoteAt(from)
        assert.strictEqual(last.at, from)
        for (const now of [from + 1, (from + until) / 2, until]) assert.deepStrictEqual(yield* quoteAt(now), last)
        const next = yield* quoteAt(until + minute)
        assert.strictEqual(next.previousClose, last.price)
        assert.notDeepEqual(traded(next), traded(last))
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("opens at half past nine in New York, on both sides of a change of the clocks", () =>
    Effect.gen(function* () {
      for (const open of [
        Date.UTC(2026, 2, 6, 14, 30),
        Date.UTC(2026, 2, 9, 13, 30),
        Date.UTC(2026, 9, 30, 13, 30),
        Date.UTC(2026, 10, 2, 14, 30)
      ]) {
        assert.isBelow((yield* quoteAt(open - 1)).at, open - minute)
        assert.strictEqual((yield* quoteAt(open)).at, open)
        assert.strictEqual((yield* quoteAt(open + minute)).at, open + minute)
        assert.strictEqual((yield* quoteAt(open + 10 * 60 * minute)).at, open + 390 * minute)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("stocks are as volatile as stocks are, and more alike within a sector than across", () =>
    Effect.gen(function* () {
      const data = yield* StaticData
      const stocks = data.symbols.filter(({ kind }) => kind === "stock")
      const returns = yield* returnsOf(stocks.map(({ symbol }) => symbol))
      const within: Array<number> = []
      const across: Array<number> = []
      for (const [index, a] of stocks.entries()) {
        const own = returns.get(a.symbol)!
        const yearly = Math.sqrt(covariance(own, own) * 252)
        assert.isAbove(yearly, 0.15, a.symbol)
        assert.isBelow(yearly, 0.45, a.symbol)
        for (const b of stocks.slice(index + 1)) {
          const alike = correlation(own, returns.get(b.symbol)!)
          if (a.sector === b.sector) within.push(alike)
          else across.push(alike)
        }
      }
      assert.isAbove(mean(across), 0.2)
      assert.isAbove(mean(within), mean(across) + 0.08)
      assert.isBelow(mean(within), 0.8)
    }).pipe(Effect.provide(layer))
  )

  it.effect("funds follow what they hold: the market's fund the stocks, a sector's fund its sector", () =>
    Effect.gen(function* () {
      const data = yield* StaticData
      const returns = yield* returnsOf(data.symbols.map(({ symbol }) => symbol))
      const averageOf = (symbols: ReadonlyArray<string>) =>
        returns.get("SPY")!.map((_, day) => mean(symbols.map((symbol) => returns.get(symbol)![day]!)))
      const stocks = data.symbols.flatMap(({ kind, symbol }) => (kind === "stock" ? [symbol] : []))
      assert.isAbove(correlation(returns.get("SPY")!, averageOf(stocks)), 0.95)
      for (const { etf, id } of data.sectors) {
        const members = data.symbolsIn(id).map(({ symbol }) => symbol)
        assert.isAbove(correlation(returns.get(etf)!, averageOf(members)), 0.8, id)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("a part of a day's move falls between the close and the open", () =>
    Effect.gen(function* () {
      const data = yield* StaticData
      const gaps: Array<number> = []
      const moves: Array<number> = []
      for (const date of data.tradingDays("XNAS", "2026-06-10", 200)!) {
        const session = data.session("XNAS", date)
        if (typeof session === "string") continue
        const { open, previousClose, price } = yield* quoteAt(session.close)
        gaps.push(Math.log(open / previousClose) ** 2)
        moves.push(Math.log(price / previousClose) ** 2)
      }
      const share = mean(gaps) / mean(moves)
      assert.isAbove(share, 0.15)
      assert.isBelow(share, 0.4)
    }).pipe(Effect.provide(layer))
  )
})
