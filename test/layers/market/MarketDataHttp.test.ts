import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as RetryPolicyCron from "../../../src/layers/kv/RetryPolicyCron.ts"
import * as MarketDataHttp from "../../../src/layers/market/MarketDataHttp.ts"
import * as MarketDataSample from "../../../src/layers/market/MarketDataSample.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import { RetryPolicy } from "../../../src/services/kv/RetryPolicy.ts"
import { MarketData } from "../../../src/services/market/MarketData.ts"
import { contract } from "../../contracts/market/MarketData.ts"
import * as ChartServer from "../../support/market/chartServer.ts"

const noon = Date.UTC(2026, 5, 10, 16)

const layerOf = (url: string) =>
  Layer.provideMerge(
    MarketDataHttp.layer({ baseUrl: `${url}/`, deadline: Duration.seconds(3) }),
    StaticDataBundled.layerOf()
  )

contract("http", Layer.unwrapScoped(Effect.map(ChartServer.make(noon), ({ url }) => layerOf(url))))

/** Lets time pass, in steps, until an effect is done: its retries wait, what is on its way over the loopback arrives. */
const passing = <A, E, R>(effect: Effect.Effect<A, E, R>, step: Duration.DurationInput = "20 millis") =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    for (;;) {
      if ((yield* Fiber.poll(fiber))._tag === "Some") return yield* Fiber.join(fiber)
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* TestClock.adjust(step)
    }
  })

const scenario = (name: string, run: (server: ChartServer.ChartServer) => Effect.Effect<void, unknown, MarketData>) =>
  it.scoped(name, () =>
    Effect.gen(function* () {
      const server = yield* ChartServer.make(noon)
      yield* TestClock.setTime(noon)
      yield* Effect.provide(run(server), layerOf(server.url))
    })
  )

const quotes = (...symbols: ReadonlyArray<string>) => Effect.flatMap(MarketData, (market) => market.quotes(symbols))

const failure = (...symbols: ReadonlyArray<string>) => Effect.flip(passing(quotes(...symbols)))

const status =
  (code: number, headers: Record<string, string> = {}): ChartServer.Answer =>
  (response) =>
    void response.writeHead(code, headers).end("{}")

const body =
  (text: string): ChartServer.Answer =>
  (response) =>
    void response.writeHead(200, { "Content-Type": "application/json" }).end(text)

describe("MarketDataHttp", () => {
  scenario("tells the same prices as the server has", (server) =>
    Effect.gen(function* () {
      const symbols = ["AAPL", "BRK.B", "XLK"]
      const theirs = yield* Effect.provide(
        quotes(...symbols),
        Layer.provide(MarketDataSample.layer, StaticDataBundled.layerOf())
      )
      assert.deepStrictEqual(yield* passing(quotes(...symbols)), theirs)
      assert.deepStrictEqual([...server.asked].sort(), ["AAPL", "BRK-B", "XLK"])
    })
  )

  scenario("429: stops asking, and says how long to wait", (server) =>
    Effect.gen(function* () {
      server.script.set("*", status(429, { "Retry-After": "17" }))
      const error = yield* failure("AAPL", "MSFT", "NVDA", "JPM", "XOM", "KO", "PG", "CAT", "BA", "GE", "T", "VZ")
      assert.strictEqual(error.reason, "RateLimited")
      assert.strictEqual(error.retryAfter, 17)
      assert.isAtMost(server.asked.length, 6)
    })
  )

  scenario("5xx: tried again as patiently as the caller asks", (server) =>
    Effect.gen(function* () {
      server.script.set("*", status(502))
      assert.strictEqual((yield* failure("AAPL")).reason, "Unavailable")
      assert.strictEqual(server.asked.length, 3)
      const patient = Effect.provideService(quotes("AAPL"), RetryPolicy, RetryPolicyCron.make)
      assert.strictEqual((yield* Effect.flip(passing(patient, "200 millis"))).reason, "Unavailable")
      assert.isAbove(server.asked.length, 3 + 5)
    })
  )

  scenario("5xx once: nobody notices", (server) =>
    Effect.gen(function* () {
      server.script.set("AAPL", (response) => {
        server.script.delete("AAPL")
        response.writeHead(503).end()
      })
      assert.deepStrictEqual([...(yield* passing(quotes("AAPL"))).keys()], ["AAPL"])
      assert.strictEqual(server.asked.length, 2)
    })
  )

  scenario("partial: gives what it has", (server) =>
    Effect.gen(function* () {
      server.script.set("MSFT", status(500))
      server.script.set("NVDA", body("<html>"))
      server.script.set("JPM", (response) => void response.destroy())
      assert.deepStrictEqual([...(yield* passing(quotes("AAPL", "MSFT", "NVDA", "JPM", "KO"))).keys()], ["AAPL", "KO"])
    })
  )

  scenario("a chart with holes: what is missing is filled from the rest, or left out", (server) =>
    Effect.gen(function* () {
      server.script.set("AAPL", async (response, chart) => {
        const parsed = JSON.parse(await chart())
        const [result] = parsed.chart.result
        for (const name of ["regularMarketDayHigh", "regularMarketDayLow", "regularMarketVolume"]) {
          delete result.meta[name]
        }
        result.indicators.quote = [{ open: [null], high: [null], low: null, volume: [null] }]
        response.end(JSON.stringify(parsed))
      })
      const quote = (yield* passing(quotes("AAPL"))).get("AAPL")!
      assert.deepStrictEqual(
        [quote.open, quote.high, quote.low, quote.volume],
        [quote.price, quote.price, quote.price, 0]
      )

      server.script.set("AAPL", async (response, chart) => {
        const parsed = JSON.parse(await chart())
        const close = parsed.chart.result[0].indicators.quote[0].close
        close[close.length - 2] = null
        response.end(JSON.stringify(parsed))
      })
      const history = yield* passing(Effect.flatMap(MarketData, (market) => market.history(["AAPL"], { days: 3 })))
      const dates = history.get("AAPL")!.map(({ date }) => date)
      assert.deepStrictEqual(dates, ["2026-06-04", "2026-06-05", "2026-06-09"])
    })
  )

  const malformed: ReadonlyArray<readonly [name: string, change: (chart: string) => string]> = [
    ["nothing", () => ""],
    ["no JSON", () => "<html>Too many cooks</html>"],
    ["half of it", (chart) => chart.slice(0, chart.length / 2)],
    ["another JSON", () => '{"quotes":[]}'],
    ["no result", () => '{"chart":{"result":[],"error":null}}'],
    ["an error with status 200", () => '{"chart":{"result":null,"error":{"code":"Internal"}}}'],
    ["a price in words", (chart) => chart.replace(/"regularMarketPrice":[\d.]+/, '"regularMarketPrice":"high"')],
    ["a negative price", (chart) => chart.replace(/"regularMarketPrice":/, '"regularMarketPrice":-')],
    ["no price", (chart) => chart.replace(/"regularMarketPrice":[\d.]+,/, "")],
    ["no time", (chart) => chart.replace(/"regularMarketTime":[\d.]+,/, "")],
    ["no previous close", (chart) => chart.replace(/"chartPreviousClose":[\d.]+,/, "")],
    ["another symbol", (chart) => chart.replace('"symbol":"AAPL"', '"symbol":"MSFT"')],
    ["two megabytes", (chart) => chart + " ".repeat(2 << 20)]
  ]
  for (const [name, change] of malformed) {
    scenario(`malformed, ${name}: a typed failure that says what is wrong`, (server) =>
      Effect.gen(function* () {
        server.script.set("*", async (response, chart) => void response.end(change(await chart())))
        const error = yield* failure("AAPL")
        assert.strictEqual(error._tag, "MarketDataError")
        assert.strictEqual(error.reason, "Malformed")
        assert.match(error.detail ?? "", /^AAPL: ./)
        assert.isBelow(error.detail!.length, 400)
      })
    )
  }

  scenario("401, 404 for everything, and redirects are refusals, never followed", (server) =>
    Effect.gen(function* () {
      for (const code of [401, 403, 404]) {
        server.script.set("*", status(code))
        assert.strictEqual((yield* failure("AAPL")).reason, "Refused", String(code))
      }
      server.script.set("*", status(302, { Location: `${server.url}/v8/finance/chart/ELSEWHERE` }))
      assert.strictEqual((yield* failure("AAPL")).reason, "Refused")
      assert.notInclude(server.asked, "ELSEWHERE")
    })
  )

  scenario("an answer that never comes, or never ends, is given up after the deadline", (server) =>
    Effect.gen(function* () {
      server.script.set("*", () => undefined)
      assert.strictEqual((yield* failure("AAPL")).reason, "TimedOut")
      server.script.set("*", (response) => void response.writeHead(200).write('{"chart":'))
      assert.strictEqual((yield* failure("AAPL")).reason, "TimedOut")
    })
  )

  it.effect("no server: unavailable", () =>
    Effect.gen(function* () {
      const { url } = yield* Effect.scoped(ChartServer.make(noon))
      const error = yield* Effect.flip(passing(Effect.provide(quotes("AAPL"), layerOf(url))))
      assert.strictEqual(Either.isEither(error) ? "" : error.reason, "Unavailable")
    })
  )
})
