import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { publishDailyReport } from "../../../src/programs/market/publishDailyReport.ts"
import { readQuotes } from "../../../src/programs/market/readQuotes.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import * as MarketFeeds from "../../support/market/marketFeeds.ts"
import * as ScriptedMarket from "../../support/market/scriptedMarket.ts"

const minute = 60_000

/** The Monday after the clocks changed in New York: open at 13:30 UTC, an hour earlier than on Friday. */
const midnight = Date.UTC(2026, 2, 9)

it.effect("a trading day in a week of the clocks' change, with an outage of an hour, seen every five minutes", () => {
  const told = ScriptedMarket.script()
  return Effect.gen(function* () {
    const ledger = yield* Ledger
    const seen: Array<{ readonly at: number; readonly price: number; readonly stale: boolean }> = []
    let reportedAt: number | undefined
    const [outageFrom, outageUntil] = [midnight + 16 * 60 * minute, midnight + 17 * 60 * minute]
    for (let at = midnight + 13 * 60 * minute; at < midnight + 21 * 60 * minute; at += 5 * minute) {
      yield* TestClock.setTime(at)
      told.fails = at >= outageFrom && at < outageUntil ? "Unavailable" : undefined
      const { found, stale } = yield* readQuotes(["AAPL", "SPY"])
      seen.push({ at, price: found.get("AAPL")!.price, stale: stale.has("AAPL") })
      if ((at / minute) % 60 === 15 && at >= midnight + 17 * 60 * minute) {
        const done = Option.getOrThrow(yield* publishDailyReport)
        if (done.published && done.report.date === "2026-03-09") reportedAt = at
      }
    }
    const during = (from: number, until: number) =>
      seen.filter(({ at }) => at >= midnight + from * minute && at < midnight + until * minute)
    const prices = (from: number, until: number) => new Set(during(from, until).map(({ price }) => price)).size

    assert.strictEqual(prices(0, 13 * 60 + 30), 1, "Friday's close stands until the open")
    assert.isAbove(prices(13 * 60 + 40, 16 * 60), 20, "the session moves")
    assert.isTrue(
      during(16 * 60 + 10, 17 * 60).every(({ stale }) => stale),
      "an outage is said"
    )
    assert.strictEqual(prices(16 * 60 + 10, 17 * 60), 1, "and the last price stands")
    assert.isAbove(prices(17 * 60 + 20, 20 * 60), 20, "it comes back")
    assert.strictEqual(prices(20 * 60 + 10, 21 * 60), 1, "the close stands")
    assert.isFalse(during(20 * 60 + 10, 21 * 60).some(({ stale }) => stale))
    assert.strictEqual(reportedAt, midnight + (20 * 60 + 15) * minute)

    const asked = told.asked.filter((symbols) => symbols.length <= 2).length
    assert.isAtMost(asked, seen.length, "never more than once for each look")
    assert.isAtMost(ledger.report().total.kv.writes, 2 * seen.length + 10)
  }).pipe(Effect.provide(MarketFeeds.layer(told)))
})
