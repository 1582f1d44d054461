import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { readQuotes } from "../../../src/programs/market/readQuotes.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import type { MarketDataError } from "../../../src/services/market/MarketData.ts"
import * as MarketFeeds from "../../support/market/marketFeeds.ts"
import * as ScriptedMarket from "../../support/market/scriptedMarket.ts"

/** 2026-06-10, 12:00 in New York, a Wednesday. */
const noon = Date.UTC(2026, 5, 10, 16)

const story = (
  name: string,
  tell: (
    told: ScriptedMarket.Script
  ) => Effect.Effect<void, unknown, Effect.Effect.Context<ReturnType<typeof readQuotes>> | Ledger>
) =>
  it.effect(name, () => {
    const told = ScriptedMarket.script()
    return Effect.zipRight(TestClock.setTime(noon), tell(told)).pipe(Effect.provide(MarketFeeds.layer(told)))
  })

describe("readQuotes", () => {
  story("asks the provider once for all that is missing, and nobody for what is cached", (told) =>
    Effect.gen(function* () {
      const first = yield* readQuotes(["AAPL", "MSFT", "NVDA"])
      assert.deepStrictEqual([...first.found.keys()], ["AAPL", "MSFT", "NVDA"])
      yield* readQuotes(["MSFT", "AAPL"])
      yield* readQuotes(["AAPL", "KO", "AAPL", "PG"])
      assert.deepStrictEqual(told.asked, [
        ["AAPL", "MSFT", "NVDA"],
        ["KO", "PG"]
      ])
    })
  )

  story("what is cached is served for five minutes, then it is new", (told) =>
    Effect.gen(function* () {
      const before = (yield* readQuotes(["AAPL"])).found.get("AAPL")
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual((yield* readQuotes(["AAPL"])).found.get("AAPL"), before)
      assert.strictEqual(told.asked.length, 1)
      yield* TestClock.adjust("4 minutes")
      const after = (yield* readQuotes(["AAPL"])).found.get("AAPL")
      assert.strictEqual(after?.at, noon + 8 * 60_000)
      assert.strictEqual(told.asked.length, 2)
    })
  )

  story("an outage: the last quotes stay for a day, the provider is soon left alone, and comes back", (told) =>
    Effect.gen(function* () {
      const before = yield* readQuotes(["AAPL", "MSFT"])
      yield* TestClock.adjust("10 minutes")
      told.fails = "Unavailable"
      for (let read = 0; read < 40; read++) {
        const during = yield* readQuotes(["AAPL", "MSFT"])
        assert.deepStrictEqual(during.found, before.found)
        assert.deepStrictEqual([...during.stale].sort(), ["AAPL", "MSFT"])
        yield* TestClock.adjust("15 seconds")
      }
      // 10 minutes of failing: asked at 0, 15 s, then after pauses of 30, 60, 120 and 240 seconds.
      assert.isAtMost(told.asked.length, 1 + 7)
      assert.isAtLeast(told.asked.length, 1 + 4)

      const unknown = yield* readQuotes(["NVDA"])
      assert.strictEqual(unknown.found.size, 0)
      const error = unknown.failed.get("NVDA") as MarketDataError
      assert.strictEqual(error.reason, "Throttled")
      assert.isAbove(error.retryAfter ?? 0, 0)

      told.fails = undefined
      yield* TestClock.adjust("20 minutes")
      const after = yield* readQuotes(["AAPL", "NVDA"])
      assert.strictEqual(after.stale.size, 0)
      assert.strictEqual(after.found.get("AAPL")?.at, after.found.get("NVDA")?.at)
      assert.isAbove(after.found.get("AAPL")!.at, before.found.get("AAPL")!.at)
    })
  )

  story("beyond its grace a quote is none", (told) =>
    Effect.gen(function* () {
      yield* readQuotes(["AAPL"])
      told.fails = "Unavailable"
      yield* TestClock.adjust("25 hours")
      const { failed, found } = yield* readQuotes(["AAPL"])
      assert.strictEqual(found.size, 0)
      assert.deepStrictEqual([...failed.keys()], ["AAPL"])
    })
  )

  story("what the provider leaves out is unavailable, and is not remembered as absent", (told) =>
    Effect.gen(function* () {
      told.without.add("MSFT")
      const { failed, found } = yield* readQuotes(["AAPL", "MSFT"])
      assert.deepStrictEqual([[...found.keys()], [...failed.keys()]], [["AAPL"], ["MSFT"]])
      told.without.clear()
      assert.deepStrictEqual([...(yield* readQuotes(["AAPL", "MSFT"])).found.keys()].sort(), ["AAPL", "MSFT"])
    })
  )

  story("a provider that asks for an hour's rest gets it", (told) =>
    Effect.gen(function* () {
      told.fails = "RateLimited"
      told.retryAfter = 3600
      yield* readQuotes(["AAPL"])
      told.fails = undefined
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* readQuotes(["AAPL"])).found.size, 0)
      assert.strictEqual(told.asked.length, 1)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* readQuotes(["AAPL"])).found.size, 1)
    })
  )

  story("a minute of one isolate costs KV no operation beyond the first", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* readQuotes(["AAPL", "MSFT"])
      const { reads, writes } = ledger.report().total.kv
      assert.deepStrictEqual([reads, writes], [4, 2])
      for (let read = 0; read < 10; read++) yield* readQuotes(["AAPL", "MSFT"])
      assert.deepStrictEqual(ledger.report().total.kv, { reads, writes, deletes: 0, lists: 0 })
    })
  )
})
