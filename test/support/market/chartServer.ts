import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as MarketDataSample from "../../../src/layers/market/MarketDataSample.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import { MarketData } from "../../../src/services/market/MarketData.ts"
import { StaticData } from "../../../src/services/static-data/StaticData.ts"

/** How a server answers a question for one symbol: with a chart, where nothing else is scripted. */
export type Answer = (response: ServerResponse, chart: () => Promise<string>) => void

export interface ChartServer {
  readonly url: string
  /** Symbols asked for so far, as they were spelled, in order. */
  readonly asked: ReadonlyArray<string>
  /** By symbol as it is spelled, or `*` for all. */
  readonly script: Map<string, Answer>
}

const sample = Layer.provideMerge(MarketDataSample.layer, StaticDataBundled.layerOf())

const notFound = { chart: { result: null, error: { code: "Not Found", description: "No data found" } } }

/** A chart as Yahoo's service gives it, of the sample's prices at a moment. */
const chartOf = (spelled: string, query: URLSearchParams, now: number) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(now)
    const market = yield* MarketData
    const data = yield* StaticData
    const symbol = spelled.replaceAll("-", ".")
    const row = data.symbol(symbol)
    if (row === undefined) return notFound
    const quote = (yield* market.quotes([symbol])).get(symbol)!
    const until = Number(query.get("period2") ?? now / 1000) * 1000
    const days = query.has("period1") ? (until / 1000 - Number(query.get("period1"))) / 86_400 : 1
    const upTo = new Date(until - 86_400_000).toISOString().slice(0, 10)
    const bars = (yield* market.history([symbol], { days: Math.ceil(days * 0.6), upTo })).get(symbol)!
    const seconds = bars.map(({ date }) => {
      const session = data.session(row.exchange, date)
      return typeof session === "string" ? 0 : session.open / 1000
    })
    const column = (value: (bar: (typeof bars)[number]) => number) => bars.map(value)
    return {
      chart: {
        result: [
          {
            meta: {
              currency: row.currency,
              symbol: spelled,
              regularMarketPrice: quote.price,
              regularMarketTime: Math.floor(quote.at / 1000),
              chartPreviousClose: quote.previousClose,
              regularMarketDayHigh: quote.high,
              regularMarketDayLow: quote.low,
              regularMarketVolume: quote.volume
            },
            timestamp: seconds,
            indicators: {
              quote: [
                {
                  open: query.has("range") ? [quote.open] : column(({ close }) => close),
                  close: column(({ close }) => close),
                  volume: column(({ volume }) => volume)
                }
              ]
            }
          }
        ],
        error: null
      }
    }
  }).pipe(Effect.provide(sample), Effect.provide(TestContext.TestContext))

/** A provider on the loopback interface, where it is always `now`. */
export const make = (now: number) =>
  Effect.acquireRelease(
    Effect.async<ChartServer & { readonly close: () => void }>((resume) => {
      const asked: Array<string> = []
      const script = new Map<string, Answer>()
      const server = createServer((request, response) => {
        const url = new URL(request.url ?? "/", "http://localhost")
        const spelled = decodeURIComponent(url.pathname.split("/").at(-1) ?? "")
        asked.push(spelled)
        const answer = script.get(spelled) ?? script.get("*")
        const chart = () => Effect.runPromise(chartOf(spelled, url.searchParams, now))
        if (answer !== undefined) return answer(response, async () => JSON.stringify(await chart()))
        void chart().then((found) => {
          response.writeHead(found === notFound ? 404 : 200, { "Content-Type": "application/json" })
          response.end(JSON.stringify(found))
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, asked, script, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
