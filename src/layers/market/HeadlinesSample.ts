import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hashOf } from "../../services/base/model/Hash.ts"
import { uniformOf } from "../../services/base/model/Random.ts"
import { type Headline, Headlines } from "../../services/market/Headlines.ts"
import { StaticData } from "../../services/static-data/StaticData.ts"

const templates = `
{} beats estimates on strong demand|{} raises guidance after record quarter|Analysts upgrade {} to outperform
{} shares surge as growth accelerates|{} announces buyback and higher dividend|{} wins multi-year contract
Investors cheer resilient margins at {}|{} expands partnership, lifts outlook|Bullish options bets on {} rise
{} misses estimates as demand slows|{} cuts guidance, citing headwinds|Analysts downgrade {} on weak outlook
{} shares tumble after disappointing results|Regulators probe {} over disclosure|{} faces class action over outage
{} delays launch amid supply shortages|{} plans layoffs in restructuring|Short seller targets {} accounting
{} to report results next week|What to know about {} before the bell|{} holds annual investor day
{} names new finance chief|Options traders eye {} ahead of results|{} trades near its 50-day average
`
  .trim()
  .split(/[|\n]/)

/** Headlines of a symbol, one every so often. */
const kept = 6
const everyMillis = 7 * 3_600_000

/**
 * Made-up headlines, so that sentiment can be tried without a provider of news: a function of symbol and time alone, a
 * new one about every seven hours.
 */
export const make = (staticData: StaticData["Type"]): Headlines["Type"] => {
  const headline = (symbol: string, seed: number, slot: number): Headline => ({
    title: templates[Math.floor(uniformOf(seed, 7, slot) * templates.length)]!.replace(
      "{}",
      staticData.symbol(symbol)?.name ?? symbol
    ),
    publishedAt: slot * everyMillis - Math.floor(uniformOf(seed, 8, slot) * everyMillis)
  })

  return {
    latest: (symbols) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const slot = Math.floor(now / everyMillis)
        return new Map(
          symbols.map((symbol) => {
            const seed = hashOf(symbol)
            return [symbol, Array.from({ length: kept }, (_, back) => headline(symbol, seed, slot - back))] as const
          })
        )
      })
  }
}

export const layer: Layer.Layer<Headlines, never, StaticData> = Layer.effect(Headlines, Effect.map(StaticData, make))
