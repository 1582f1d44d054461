import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SettingsConfig from "../../../src/layers/settings/SettingsConfig.ts"
import { deskCollections } from "../../../src/services/desk/model/DeskCollections.ts"
import { MarketSettings, marketSettings } from "../../../src/services/market/MarketSettings.ts"

const configOf = (written: Record<string, string>) => {
  const variables = new Map(Object.entries(written))
  return Effect.map(
    Effect.all([
      SettingsConfig.config(variables, deskCollections),
      SettingsConfig.contextOf([marketSettings], variables)
    ]),
    ([values, own]) => ({ ...values, ...Context.get(own, MarketSettings) })
  )
}

describe("the market's settings", () => {
  it.effect("are the sample without a word, and another provider by its address", () =>
    Effect.gen(function* () {
      const usual = yield* configOf({})
      assert.deepStrictEqual([usual.marketSource, Duration.toSeconds(usual.marketDeadline)], ["off", 3])
      for (const name of ["quotes", "sentiment", "analyses", "signals", "signal-tracking", "daily-reports"]) {
        assert.isTrue(usual.collections.has(name), name)
      }
      const other = yield* configOf({
        MARKET_SOURCE: "http",
        MARKET_BASE_URL: "http://127.0.0.1:9000/yahoo/",
        MARKET_DEADLINE: "500 millis",
        SENTIMENT_MODEL: "@cf/other/model",
        COLLECTIONS: '{"quotes":{"ttl":60}}'
      })
      assert.strictEqual(other.marketSource, "http")
      assert.strictEqual(other.marketBaseUrl, "http://127.0.0.1:9000/yahoo/")
      assert.strictEqual(other.collections.get("quotes")?.millis.ttl, 60_000)
      assert.strictEqual(other.collections.get("quotes")?.millis.graceFor, 86_400_000)
    })
  )

  const bad: ReadonlyArray<readonly [string, string]> = [
    ["MARKET_SOURCE", "yahoo"],
    ["MARKET_BASE_URL", "query1.finance.yahoo.com"],
    ["MARKET_BASE_URL", "ftp://example.com"],
    ["MARKET_BASE_URL", "https://example.com/?key=1"],
    ["MARKET_DEADLINE", "2 hours"],
    ["QUOTE_STREAM_INTERVAL", "soon"],
    ["QUOTE_STREAM_LIFE", "0 millis"]
  ]
  for (const [name, value] of bad) {
    it.effect(`${name}=${value} is refused by its name`, () =>
      Effect.gen(function* () {
        assert.include(String(yield* Effect.flip(configOf({ [name]: value }))), name)
      })
    )
  }
})
