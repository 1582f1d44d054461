import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as AlertRulesMemory from "../../layers/alerts/AlertRulesMemory.ts"
import * as ThrottleMemory from "../../layers/market/ThrottleMemory.ts"
import * as ThrottleStore from "../../layers/market/ThrottleStore.ts"
import * as NotifierMemory from "../../layers/notifications/NotifierMemory.ts"
import * as RepositoryStore from "../../layers/repository/RepositoryStore.ts"
import { AlertRules } from "../../services/alerts/AlertRules.ts"
import type { AlertRule } from "../../services/alerts/model/AlertRule.ts"
import { alertStates } from "../../services/alerts/model/AlertState.ts"
import { MarketData } from "../../services/market/MarketData.ts"
import type { Quote } from "../../services/market/model/Quote.ts"
import { Throttle } from "../../services/market/Throttle.ts"
import { Notifier } from "../../services/notifications/Notifier.ts"
import type { Desk, Isolate } from "../../services/replay/ReplayFleet.ts"
import type { Workload } from "../../services/replay/Workload.ts"
import { Repository } from "../../services/repository/Repository.ts"
import type { SettingsValues } from "../../services/settings/Settings.ts"

/** A rule for every alert state of a workload, on symbols of its own, that no price ever makes fire. */
const rulesOf = (workload: Workload["Type"]): ReadonlyArray<AlertRule> =>
  workload.entries
    .filter(({ collection }) => collection.name === alertStates.collection.name)
    .map(({ key }, index) => ({
      id: key,
      symbol: `S${index % 60}`,
      condition: { kind: "price-above", price: 1e9 },
      cooldownSeconds: 0,
      hysteresisPercent: 0,
      enabled: true,
      createdAt: 0
    }))

/** An uncached source: every symbol traded just now. */
const quoteOf = (symbol: string, now: number): Quote => ({
  symbol,
  price: 100 + (now % 1000) / 100,
  currency: "USD",
  at: now,
  previousClose: 100,
  open: 100,
  high: 110,
  low: 100,
  volume: 1
})

/**
 * What sweeps of the alerts run on: rules that cost nothing, prices from several providers of which some fail, and a
 * throttle that keeps their failures in the isolate's memory, or in the store for a read and a write each.
 */
export const make = (
  workload: Workload["Type"],
  settings: SettingsValues,
  throttlesInMemory: boolean
): (() => Pick<Isolate, "desk" | "throttlesInMemory">) => {
  const rules = AlertRulesMemory.make(rulesOf(workload))
  const notifier = NotifierMemory.make(NotifierMemory.receiver())

  return () => {
    const inMemory = throttlesInMemory ? ThrottleMemory.make() : undefined
    return {
      throttlesInMemory,
      desk: (store, failing) => {
        const repository = RepositoryStore.make(store, settings)
        const throttle = inMemory ?? ThrottleStore.make(repository, { asks: false })
        const market: MarketData["Type"] = {
          provider: "replayed",
          quotes: (symbols) =>
            Effect.zipRight(
              Effect.forEach(failing, (provider) => throttle.failed(provider, "unavailable"), { discard: true }),
              Effect.map(
                Clock.currentTimeMillis,
                (now) => new Map(symbols.map((symbol) => [symbol, quoteOf(symbol, now)]))
              )
            ),
          history: () => Effect.succeed(new Map())
        }
        return Context.empty().pipe(
          Context.add(AlertRules, rules),
          Context.add(Repository, repository),
          Context.add(MarketData, market),
          Context.add(Throttle, throttle),
          Context.add(Notifier, notifier)
        ) as Context.Context<Desk>
      }
    }
  }
}
