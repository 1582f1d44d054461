import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { analyzeSentiment } from "../../../src/programs/market/analyzeSentiment.ts"
import { Headlines, HeadlinesError } from "../../../src/services/market/Headlines.ts"
import { combined, Sentiment } from "../../../src/services/market/Sentiment.ts"
import * as MarketFeeds from "../../support/market/marketFeeds.ts"
import * as ScriptedMarket from "../../support/market/scriptedMarket.ts"

const now = Date.UTC(2026, 5, 10, 16)

/** The world, with what was asked of the press and of the reader counted. */
const counting = <A, E>(
  tell: (counts: {
    press: number
    readonly batches: Array<number>
    fails: boolean
  }) => Effect.Effect<A, E, Effect.Effect.Context<ReturnType<typeof analyzeSentiment>>>
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(now)
    const headlines = yield* Headlines
    const sentiment = yield* Sentiment
    const counts = { press: 0, batches: [] as Array<number>, fails: false }
    return yield* tell(counts).pipe(
      Effect.provideService(Headlines, {
        latest: (symbols) => {
          counts.press += 1
          return counts.fails
            ? Effect.fail(new HeadlinesError({ operation: "latest", reason: "Unavailable" }))
            : headlines.latest(symbols)
        }
      }),
      Effect.provideService(Sentiment, {
        score: (texts) => {
          counts.batches.push(texts.length)
          return sentiment.score(texts)
        }
      })
    )
  }).pipe(Effect.provide(MarketFeeds.layer(ScriptedMarket.script())))

describe("analyzeSentiment", () => {
  it.effect(
    "reads the press of several symbols in one batch, keeps it by symbol, and reads no more for half an hour",
    () =>
      counting((counts) =>
        Effect.gen(function* () {
          const { found } = yield* analyzeSentiment(["AAPL", "MSFT", "NVDA"])
          const total = [...found.values()].reduce((sum, { headlines }) => sum + headlines.length, 0)
          assert.deepStrictEqual([counts.press, counts.batches], [1, [total]])
          yield* TestClock.adjust("29 minutes")
          yield* analyzeSentiment(["NVDA"])
          yield* analyzeSentiment(["AAPL", "MSFT"])
          assert.strictEqual(counts.press, 1)
          yield* TestClock.adjust("15 minutes")
          yield* analyzeSentiment(["AAPL", "KO"])
          assert.strictEqual(counts.press, 2)
        })
      )
  )

  it.effect("a symbol's sentiment is that of its headlines together, newest first", () =>
    counting(() =>
      Effect.gen(function* () {
        const { found } = yield* analyzeSentiment(["AAPL", "MSFT"])
        const sentiment = yield* Sentiment
        for (const { confidence, headlines, label, score, symbol } of found.values()) {
          const each = yield* sentiment.score(headlines.map(({ title }) => title))
          assert.deepInclude(combined(each), { score, label, confidence })
          assert.isTrue(
            headlines.every(({ publishedAt }, at) => at === 0 || publishedAt <= headlines[at - 1]!.publishedAt)
          )
          assert.isTrue(headlines.every(({ publishedAt }) => publishedAt <= now))
          assert.include(headlines[0]!.title, symbol === "AAPL" ? "Apple" : "Microsoft")
        }
      })
    )
  )

  it.effect("a press that fails: what was known is served for a day, and marked", () =>
    counting((counts) =>
      Effect.gen(function* () {
        const before = yield* analyzeSentiment(["AAPL"])
        counts.fails = true
        yield* TestClock.adjust("12 hours")
        const during = yield* analyzeSentiment(["AAPL", "KO"])
        assert.deepStrictEqual(during.found, before.found)
        assert.deepStrictEqual([[...during.stale], [...during.failed.keys()]], [["AAPL"], ["KO"]])
      })
    )
  )
})
