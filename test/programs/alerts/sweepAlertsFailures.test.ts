import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { alertStates } from "../../../src/services/alerts/model/AlertState.ts"
import { deadLetters } from "../../../src/services/alerts/model/DeadLetter.ts"
import { MarketDataError } from "../../../src/services/market/MarketData.ts"
import { NotifierError } from "../../../src/services/notifications/Notifier.ts"
import { above, below, rule } from "../../support/alerts/alertRules.ts"
import {
  hundred,
  later,
  simulated,
  start,
  stateOf,
  story,
  type World,
  webhook
} from "../../support/alerts/sweepStories.ts"
import { runs } from "../../support/runs.ts"

describe("receivers that fail", () => {
  const one = rule(above(100), { webhook })
  const failing = (reason: "Unavailable" | "Refused") => () => new NotifierError({ operation: "deliver", reason })

  story("are told by later sweeps under the same key, until they take it", [one], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = (_, attempt) => (attempt < 3 ? failing("Unavailable")() : undefined)
      yield* world.sweep
      const delivered: Array<number> = []
      for (let sweeps = 0; sweeps < 4; sweeps++) {
        yield* later("5 minutes")
        delivered.push((yield* world.sweep).delivered)
      }
      expect(delivered).toStrictEqual([0, 1, 0, 0])
      expect(new Set(world.receiver.attempts.map(({ key }) => key)).size).toBe(1)
      expect(new Set(world.receiver.attempts.map(({ body }) => body)).size).toBe(1)
    })
  )

  const hanging = Array.from({ length: 40 }, (_, index) =>
    rule(above(100), { number: index + 1, webhook: `https://host${index}.example.com/` })
  )

  story(
    "that never answer take half a minute of a sweep, however many they are, and hold up no sweep after",
    hanging,
    (world) =>
      Effect.gen(function* () {
        world.script.hangs = (target) => target !== "https://host39.example.com/"
        let delivered = 0
        for (let sweeps = 0; sweeps < 8 && delivered === 0; sweeps++) {
          const sweep = yield* Effect.fork(world.sweep)
          yield* later("30 seconds")
          const done = yield* Fiber.poll(sweep)
          expect(Option.isSome(done)).toBe(true)
          delivered = (yield* Fiber.join(sweep)).delivered
          yield* later("270 seconds")
        }
        expect(delivered).toBe(1)
      })
  )

  story("that nobody can reach leave a dead letter after half an hour, and the rule goes on", [one], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = failing("Unavailable")
      const dead: Array<number> = []
      for (let sweeps = 0; sweeps < 9; sweeps++) {
        dead.push((yield* world.sweep).deadLettered)
        yield* later("5 minutes")
      }
      expect(dead).toStrictEqual([0, 0, 0, 0, 0, 0, 1, 0, 0])
      const { keys } = yield* world.repository.list(deadLetters)
      const [letter] = yield* world.repository.getMany(deadLetters, keys)
      expect(Option.getOrThrow(letter!)).toMatchObject({ ruleId: one.id, target: webhook, firedAt: start })
      expect((yield* stateOf(world, one)).pending).toBeUndefined()
      world.script.price = 90
      yield* world.sweep
      world.script.price = 110
      yield* later("5 minutes")
      expect(yield* world.sweep).toMatchObject({ fired: 1 })
    })
  )

  story("that refuse are not asked again: a dead letter at once", [one], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = failing("Refused")
      expect(yield* world.sweep).toMatchObject({ deadLettered: 1, waiting: 0 })
      yield* later("5 minutes")
      yield* world.sweep
      expect(world.receiver.attempts.length).toBe(1)
    })
  )

  story(
    "and keep failing are left alone while others are told",
    [
      ...[1, 2, 3, 4].map((number) => rule(above(100), { number, webhook: "https://dead.example.com/" })),
      rule(above(100), { number: 9, webhook })
    ],
    (world) =>
      Effect.gen(function* () {
        world.receiver.answer = ({ target }) => (target === webhook ? undefined : failing("Unavailable")())
        yield* world.sweep
        yield* later("5 minutes")
        world.receiver.attempts.length = 0
        expect(yield* world.sweep).toMatchObject({ waiting: 4, delivered: 0 })
        yield* later("5 minutes")
        yield* world.sweep
        expect(world.receiver.attempts.length).toBeLessThan(8)
        expect((yield* stateOf(world, rule(above(1), { number: 9 }))).pending).toBeUndefined()
      })
  )
})

describe("providers that fail", () => {
  const forADay = (world: World) =>
    Effect.gen(function* () {
      yield* world.sweep
      world.script.outage = new MarketDataError({ operation: "quotes", reason: "Unavailable" })
      world.calls.states = 0
      for (let sweeps = 0; sweeps < 288; sweeps++) {
        yield* Effect.sleep("5 minutes")
        expect(yield* world.sweep).toMatchObject({ evaluated: 0, written: 0 })
      }
      expect(world.calls.states).toBe(0)
      expect(world.script.quotesAsked).toBeLessThan(110)
      world.script.outage = undefined
      yield* Effect.sleep("15 minutes")
      expect(yield* world.sweep).toMatchObject({ evaluated: 100, written: 100 })
    })

  it("for a day: no state changes, they are left alone, and then all goes on", () => simulated(hundred, forADay))

  story(
    "an average is asked for once a day, and yesterday's holds where nobody gives today's",
    [rule({ kind: "crosses-average", direction: "above", days: 3 })],
    (world) =>
      Effect.gen(function* () {
        world.script.closes.push(90, 99, 100, 101)
        world.script.price = 99
        for (let sweeps = 0; sweeps < 12; sweeps++) {
          yield* world.sweep
          yield* later("5 minutes")
        }
        expect(world.script.historyAsked).toBe(1)
        yield* later("1 day")
        world.script.closes.length = 0
        world.script.price = 101
        expect(yield* world.sweep).toMatchObject({ evaluated: 1, fired: 1 })
      })
  )
})

describe("restart in the middle of a sweep", () => {
  const rules = [
    rule(above(103), { number: 1, webhook, hysteresisPercent: 1 }),
    rule(below(97), { number: 2, webhook, cooldownSeconds: 600 }),
    rule(above(100), { number: 3, webhook, symbol: "MSFT" })
  ]
  const sweeps = fc.array(
    fc.record({
      price: fc.integer({ min: 95, max: 105 }),
      kill: fc.option(fc.nat({ max: 13 }), { nil: undefined }),
      minutes: fc.constantFrom(0, 1, 5, 5, 5, 20),
      receiver: fc.constantFrom("takes", "takes", "fails", "takes, and its answer is lost")
    }),
    { minLength: 1, maxLength: 20 }
  )

  it("at any step: every firing that was written down reaches its receiver, under one key and with one body", () => {
    fc.assert(
      fc.property(sweeps, (looks) =>
        simulated(rules, (world) =>
          Effect.gen(function* () {
            const { receiver, script } = world
            const lost = new NotifierError({ operation: "deliver", reason: "TimedOut" })
            const taken: Array<{ readonly key: string; readonly body: string }> = []
            const run = (answer: (typeof looks)[number]["receiver"]) => {
              receiver.answer = (notification) => {
                if (answer !== "fails") taken.push(notification)
                return answer === "takes" ? undefined : lost
              }
              script.steps = 0
              return Effect.exit(world.sweep)
            }
            for (const { kill, minutes, price, receiver } of looks) {
              script.price = price
              script.kill = kill
              yield* run(receiver)
              yield* Effect.sleep(Duration.minutes(minutes))
            }
            script.kill = undefined
            script.price = 100
            script.prices.set("MSFT", 99)
            for (let calm = 0; calm < 5; calm++) {
              yield* Effect.sleep("20 minutes")
              yield* run("takes")
            }
            const buried = (yield* world.repository.list(deadLetters)).keys
            for (const watched of rules) {
              const state = yield* Effect.map(world.repository.get(alertStates, watched.id), Option.getOrThrow)
              const keys = new Set(
                [...taken.map(({ key }) => key), ...buried].filter((key) => key.startsWith(watched.id))
              )
              expect(keys.size).toBe(state.firings)
              expect(state.pending).toBeUndefined()
            }
            expect(new Set(taken.map(({ body }) => body)).size).toBe(new Set(taken.map(({ key }) => key)).size)
          })
        )
      ),
      { numRuns: runs(60) }
    )
  })
})
