import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as TestClock from "effect/TestClock"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { NotifierError } from "../../../src/services/notifications/Notifier.ts"
import { above, rule } from "../../support/alerts/alertRules.ts"
import {
  hundred,
  inWorld,
  later,
  simulated,
  start,
  stateOf,
  story,
  type World,
  webhook
} from "../../support/alerts/sweepStories.ts"
import * as SweepWorld from "../../support/alerts/sweepWorld.ts"
import { directMode, durableMode, kvMode } from "../../support/worlds.ts"

describe("what a sweep costs", () => {
  const swept = ({ calls, sweep }: World) =>
    Effect.gen(function* () {
      yield* sweep
      yield* later("5 minutes")
      const before = (yield* Ledger).report().total.kv
      calls.getMany = calls.writeMany = calls.states = 0
      expect(yield* sweep).toMatchObject({ rules: 100, evaluated: 100, fired: 0, written: 100 })
      expect(calls).toStrictEqual({ getMany: 1, writeMany: 1, states: 100 })
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
      expect(world.calls).toStrictEqual({ getMany: 0, writeMany: 0, states: 0 })
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
