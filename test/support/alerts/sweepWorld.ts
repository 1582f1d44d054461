import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as AlertRulesMemory from "../../../src/layers/alerts/AlertRulesMemory.ts"
import * as ThrottleMemory from "../../../src/layers/market/ThrottleMemory.ts"
import * as NotifierMemory from "../../../src/layers/notifications/NotifierMemory.ts"
import * as RepositoryStore from "../../../src/layers/repository/RepositoryStore.ts"
import { resendDeadLetter } from "../../../src/programs/alerts/resendDeadLetter.ts"
import { sweepAlerts } from "../../../src/programs/alerts/sweepAlerts.ts"
import { AlertRules } from "../../../src/services/alerts/AlertRules.ts"
import type { AlertRule } from "../../../src/services/alerts/model/AlertRule.ts"
import { alertStates } from "../../../src/services/alerts/model/AlertState.ts"
import { type DailyClose, MarketData, type MarketDataError } from "../../../src/services/market/MarketData.ts"
import type { Quote } from "../../../src/services/market/model/Quote.ts"
import { Throttle } from "../../../src/services/market/Throttle.ts"
import { Notifier } from "../../../src/services/notifications/Notifier.ts"
import { Repository } from "../../../src/services/repository/Repository.ts"
import { Settings } from "../../../src/services/settings/Settings.ts"
import { Store } from "../../../src/services/store/Store.ts"

/** What the sweeps of a test see of the world; every part can be changed while they run. */
export interface Script {
  /** Of every symbol that is not in `prices`. */
  price: number
  readonly prices: Map<string, number>
  outage: MarketDataError | undefined
  /** How long the provider takes, in milliseconds. */
  slow: number
  readonly closes: Array<number>
  /** Whether a receiver takes a connection and never answers. */
  hangs: (target: string) => boolean
  /** Calls of the provider. */
  quotesAsked: number
  historyAsked: number
  /** Steps of sweeps until one dies: before its step where `kill` is even, after it where it is odd. */
  kill: number | undefined
  steps: number
}

/** Sweeps over the `Store` they are run with, their prices and receiver scripted. */
export const make = (rules: ReadonlyArray<AlertRule>) =>
  Effect.gen(function* () {
    const script: Script = {
      price: 100,
      prices: new Map(),
      outage: undefined,
      slow: 0,
      hangs: () => false,
      closes: [],
      quotesAsked: 0,
      historyAsked: 0,
      kill: undefined,
      steps: 0
    }
    /** A place where a sweep may die. */
    const step = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.suspend(() => {
        const at = script.steps++
        const doomed = script.kill !== undefined && script.kill >> 1 === at
        if (!doomed) return effect
        return script.kill! % 2 === 0 ? Effect.die("killed") : Effect.zipRight(effect, Effect.die("killed"))
      })

    const store = yield* Store
    const calls = { getMany: 0, writeMany: 0, states: 0 }
    const counted: Store["Type"] = {
      ...store,
      getMany: (collection, keys) => {
        if (collection.name === alertStates.collection.name) calls.getMany += 1
        return step(store.getMany(collection, keys))
      },
      writeMany: (collection, changes) => {
        if (collection.name === alertStates.collection.name) {
          calls.writeMany += 1
          calls.states += changes.length
        }
        return step(store.writeMany(collection, changes))
      }
    }
    const repository = RepositoryStore.make(counted, yield* Settings)
    const isolate = { throttle: ThrottleMemory.make() }
    const kept = AlertRulesMemory.make(rules)
    const receiver = NotifierMemory.receiver()
    const notifier = NotifierMemory.make(receiver)
    const market: MarketData["Type"] = {
      provider: "scripted",
      quotes: (symbols) =>
        Effect.flatMap(Effect.delay(Clock.currentTimeMillis, script.slow), (now) => {
          script.quotesAsked += 1
          if (script.outage !== undefined) return Effect.fail(script.outage)
          return Effect.succeed(
            new Map(symbols.map((symbol) => [symbol, quoteOf(symbol, script.prices.get(symbol) ?? script.price, now)]))
          )
        }),
      history: (symbols) =>
        Effect.suspend(() => {
          script.historyAsked += 1
          if (script.outage !== undefined) return Effect.fail(script.outage)
          const closes = script.closes.map((close, index): DailyClose => ({ date: `day ${index}`, close, volume: 1 }))
          return Effect.succeed(new Map(symbols.map((symbol) => [symbol, closes])))
        })
    }
    const provided = <A, E>(
      program: Effect.Effect<A, E, AlertRules | Repository | MarketData | Throttle | Notifier>
    ): Effect.Effect<A, E> =>
      Effect.suspend(() =>
        program.pipe(
          Effect.provideService(AlertRules, kept),
          Effect.provideService(Repository, repository),
          Effect.provideService(MarketData, market),
          Effect.provideService(Throttle, isolate.throttle),
          Effect.provideService(Notifier, {
            ...notifier,
            deliver: (one) => step(script.hangs(one.target) ? Effect.never : notifier.deliver(one))
          })
        )
      )
    return {
      script,
      calls,
      receiver,
      repository,
      rules: kept,
      sweep: provided(sweepAlerts),
      resend: (key: string) => provided(resendDeadLetter(key)),
      /** From now on another isolate, which knows of no failures. */
      moveOn: () => {
        isolate.throttle = ThrottleMemory.make()
      }
    }
  })

const quoteOf = (symbol: string, price: number, at: number): Quote => ({
  symbol,
  price,
  currency: "USD",
  at,
  previousClose: price,
  open: price,
  high: price,
  low: price,
  volume: 0
})
