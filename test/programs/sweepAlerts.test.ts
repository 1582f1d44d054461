import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as VirtualTime from "../../src/layers/internal/VirtualTime.ts"
import * as KvSimulated from "../../src/layers/KvSimulated.ts"
import type { AlertRule } from "../../src/services/AlertRule.ts"
import { alertStates } from "../../src/services/AlertState.ts"
import { deadLetters } from "../../src/services/DeadLetter.ts"
import { Ledger } from "../../src/services/Ledger.ts"
import { MarketDataError } from "../../src/services/MarketData.ts"
import { NotifierError } from "../../src/services/Notifier.ts"
import type { Settings } from "../../src/services/Settings.ts"
import type { Store } from "../../src/services/Store.ts"
import { above, below, rule } from "../support/alertRules.ts"
import * as SweepWorld from "../support/sweepWorld.ts"
import { directMode, durableMode, kvMode } from "../support/worlds.ts"

const start = Date.UTC(2026, 0, 5, 15)

const webhook = "https://hooks.example.com/alerts"

const hundred = Array.from({ length: 100 }, (_, number) =>
  rule(above(1000), { number, symbol: `S${number % 60}`, webhook })
)

type Mode = () => Layer.Layer<Store | Settings | Ledger>

type World = Effect.Effect.Success<ReturnType<typeof SweepWorld.make>>

const inWorld = <A, E>(
  rules: ReadonlyArray<AlertRule>,
  body: (world: World) => Effect.Effect<A, E, Ledger>,
  mode: Mode = durableMode
) =>
  Effect.flatMap(SweepWorld.make(rules), body).pipe(Effect.provide(mode()), Logger.withMinimumLogLevel(LogLevel.None))

const story = (
  title: string,
  rules: ReadonlyArray<AlertRule>,
  body: (world: World) => Effect.Effect<void, unknown, Ledger>,
  mode: Mode = durableMode
) => it.effect(title, () => Effect.zipRight(TestClock.setTime(start), inWorld(rules, body, mode)))

/** The same without waiting for the test clock to see that nothing is left to do: for hundreds of sweeps. */
const simulated = <A, E>(rules: ReadonlyArray<AlertRule>, body: (world: World) => Effect.Effect<A, E, Ledger>): A =>
  Exit.getOrElse(VirtualTime.make(start, 1).run(inWorld(rules, body)), (cause) => {
    throw Cause.squash(cause)
  })

const later = (duration: Duration.DurationInput) => TestClock.adjust(duration)

const stateOf = ({ repository }: World, { id }: AlertRule) =>
  Effect.map(repository.get(alertStates, id), Option.getOrThrow)

describe("what a sweep costs", () => {
  const swept = ({ calls, sweep }: World) =>
    Effect.gen(function* () {
      yield* sweep
      yield* later("5 minutes")
      const before = (yield* Ledger).report().total.kv
      calls.getMany = calls.setMany = calls.states = 0
      expect(yield* sweep).toMatchObject({ rules: 100, evaluated: 100, fired: 0, written: 100 })
      expect(calls).toStrictEqual({ getMany: 1, setMany: 1, states: 100 })
      const { deletes, lists, reads, writes } = (yield* Ledger).report().total.kv
      return [reads - before.reads, writes - before.writes, deletes + lists]
    })

  story("all states in one read, those that changed in one write", hundred, (world) => Effect.asVoid(swept(world)))

  it.effect("200 KV operations for 100 states where each is stored by itself, none in durable mode", () =>
    Effect.gen(function* () {
      expect(yield* inWorld(hundred, swept, directMode)).toStrictEqual([100, 100, 0])
      expect(yield* inWorld(hundred, swept, durableMode)).toStrictEqual([0, 0, 0])
    })
  )

  story("nothing without rules, or when all are disabled", [rule(above(1), { enabled: false })], (world) =>
    Effect.gen(function* () {
      yield* world.sweep
      expect(world.calls).toStrictEqual({ getMany: 0, setMany: 0, states: 0 })
      expect(world.script.quotesAsked).toBe(0)
    })
  )
})

describe("once", () => {
  const one = rule(above(100), { webhook })

  for (const [name, mode] of Object.entries({ durable: durableMode, kv: kvMode, direct: directMode })) {
    story(
      `a sweep that is run twice at one time notifies once (${name})`,
      [one],
      (world) =>
        Effect.gen(function* () {
          expect(yield* world.sweep).toMatchObject({ fired: 1, delivered: 1 })
          expect(yield* world.sweep).toMatchObject({ fired: 0, delivered: 0, written: 0 })
          expect(world.receiver.attempts.length).toBe(1)
          expect(yield* stateOf(world, one)).toMatchObject({ firings: 1, firedAt: start, evaluatedAt: start })
          expect((yield* stateOf(world, one)).pending).toBeUndefined()
        }),
      mode
    )
  }

  story("what overlaps tells the receiver under one key", [one], (world) =>
    Effect.gen(function* () {
      yield* Effect.all([world.sweep, world.sweep, world.sweep], { concurrency: "unbounded" })
      expect(new Set(world.receiver.attempts.map(({ key }) => key)).size).toBe(1)
      yield* later("5 minutes")
      expect(yield* world.sweep).toMatchObject({ fired: 0, delivered: 0 })
    })
  )

  it("sweeps that read the same states seconds apart tell the receiver under one key", () =>
    simulated([one], (world) =>
      Effect.gen(function* () {
        world.script.price = 90
        yield* world.sweep
        yield* Effect.sleep("5 minutes")
        world.script.price = 110
        world.script.slow = 10_000
        const sweeps = [0, 1, 2, 9].map((seconds) => Effect.delay(world.sweep, Duration.seconds(seconds)))
        const fired = (yield* Effect.all(sweeps, { concurrency: "unbounded" })).map((sweep) => sweep.fired)
        expect(fired).toStrictEqual([1, 1, 1, 1])
        expect(new Set(world.receiver.attempts.map(({ key }) => key)).size).toBe(1)
        expect(yield* stateOf(world, one)).toMatchObject({ firings: 1, armed: false })
      })
    ))

  story("a sweep while another one still waits for the receiver leaves the notification to that one", [one], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = () => new NotifierError({ operation: "deliver", reason: "Unavailable" })
      expect(yield* world.sweep).toMatchObject({ fired: 1, waiting: 1 })
      yield* later("1 minute")
      expect(yield* world.sweep).toMatchObject({ fired: 0, waiting: 0, delivered: 0, written: 1 })
      expect(world.receiver.attempts.length).toBe(1)
    })
  )

  story("the body says what fired, and is signed off in the state", [one], (world) =>
    Effect.gen(function* () {
      world.script.price = 123.5
      yield* world.sweep
      const [notification] = world.receiver.attempts
      expect(notification?.target).toBe(webhook)
      expect(JSON.parse(notification?.body ?? "")).toStrictEqual({
        type: "alert.fired",
        id: notification?.key,
        firedAt: "2026-01-05T15:00:00.000Z",
        symbol: "AAPL",
        price: 123.5,
        measured: 123.5,
        threshold: 100,
        rule: { id: one.id, condition: { kind: "price-above", price: 100 } }
      })
    })
  )

  story("a rule without a webhook fires in its state only", [rule(above(100))], (world) =>
    Effect.gen(function* () {
      expect(yield* world.sweep).toMatchObject({ fired: 1, delivered: 0, waiting: 0 })
      expect(world.receiver.attempts).toStrictEqual([])
    })
  )

  story("a cron that comes hours late, or with a clock that lags, does no harm", [one], (world) =>
    Effect.gen(function* () {
      yield* world.sweep
      yield* later("7 hours")
      expect(yield* world.sweep).toMatchObject({ evaluated: 1, fired: 0 })
      yield* TestClock.setTime(start + 60_000)
      expect(yield* world.sweep).toMatchObject({ evaluated: 0, fired: 0, written: 0 })
    })
  )
})

it("over KV as it is documented, crons in two locations tell the receiver once", () => {
  const one = rule(above(100), { webhook })
  const kv = KvSimulated.makeWorld({ seed: 1 })
  const at = (location: string) =>
    Effect.provide(SweepWorld.make([one]), kvMode({ kv: KvSimulated.layer(kv, location) }))
  const day = Effect.gen(function* () {
    const worlds = [yield* at("here"), yield* at("there")]
    let fired = 0
    for (let sweeps = 0; sweeps < 40; sweeps++) {
      const { script, sweep } = worlds[sweeps % 2]!
      script.price = 80 + sweeps
      const done = yield* sweep
      fired += done.fired
      expect(done).toMatchObject({ evaluated: 1, notWritten: 0, delivered: done.fired, waiting: 0 })
      yield* Effect.sleep("5 minutes")
    }
    expect(fired).toBe(1)
    expect(worlds.map(({ receiver }) => receiver.attempts.length)).toStrictEqual([1, 0])
    expect(yield* stateOf(worlds[1]!, one)).toMatchObject({ firings: 1, price: 119 })
    expect((yield* stateOf(worlds[1]!, one)).pending).toBeUndefined()
  })
  expect(Exit.isSuccess(VirtualTime.make(start, 1).run(day))).toBe(true)
})

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
      { numRuns: 60 }
    )
  })
})
