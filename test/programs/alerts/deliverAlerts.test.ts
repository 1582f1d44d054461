import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { deadLetters } from "../../../src/services/alerts/model/DeadLetter.ts"
import { NotifierError } from "../../../src/services/notifications/Notifier.ts"
import { above, rule } from "../../support/alerts/alertRules.ts"
import { later, simulated, stateOf, story, type World, webhook } from "../../support/alerts/sweepStories.ts"
import { runs } from "../../support/runs.ts"

const failing = (reason: NotifierError["reason"], more: { status?: number; retryAfter?: number } = {}) =>
  new NotifierError({ operation: "deliver", reason, ...more })

/** Sweeps every five minutes, each on an isolate of its own, and tells how many notifications each sent. */
const sweepsOf = (world: World, sweeps: number, pause: (duration: Duration.Duration) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const sent: Array<number> = []
    for (let sweep = 0; sweep < sweeps; sweep++) {
      const before = world.receiver.attempts.length
      world.moveOn()
      yield* world.sweep
      sent.push(world.receiver.attempts.length - before)
      yield* pause(Duration.minutes(5))
    }
    return sent
  })

describe("a receiver that says when to come again", () => {
  const one = rule(above(100), { webhook })
  const other = rule(above(200), { number: 2, webhook: `${webhook}/other` })
  const elsewhere = rule(above(200), { number: 3, webhook: "https://elsewhere.example.com/" })

  for (const [reason, status] of [
    ["RateLimited", 429],
    ["Unavailable", 503],
    ["TimedOut", 408]
  ] as const) {
    story(`is left alone until then by every isolate, after ${status}`, [one], (world) =>
      Effect.gen(function* () {
        world.receiver.answer = (_, attempt) =>
          attempt === 1 ? failing(reason, { status, retryAfter: 1200 }) : undefined
        expect(yield* sweepsOf(world, 7, later)).toStrictEqual([1, 0, 0, 0, 1, 0, 0])
        expect(new Set(world.receiver.attempts.map(({ body, key }) => key + body)).size).toBe(1)
        expect((yield* stateOf(world, one)).pending).toBeUndefined()
      })
    )
  }

  story("is not told of other rules either; others are", [one, other, elsewhere], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = (_, attempt) => (attempt === 1 ? failing("RateLimited", { retryAfter: 1200 }) : undefined)
      expect(yield* sweepsOf(world, 1, later)).toStrictEqual([1])
      world.script.price = 300
      expect(yield* sweepsOf(world, 4, later)).toStrictEqual([1, 0, 0, 2])
      expect(world.receiver.attempts[1]?.target).toBe(elsewhere.webhook)
    })
  )

  story("for longer than half an hour is asked once more then, before there is a dead letter", [one], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = () => failing("Unavailable", { status: 503, retryAfter: 3600 })
      const sent = yield* sweepsOf(world, 14, later)
      expect(sent).toStrictEqual([1, ...Array(11).fill(0), 1, 0])
      expect((yield* world.repository.list(deadLetters)).keys).toHaveLength(1)
    })
  )

  it("for any time, by date or in seconds, is never asked before", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 6 }), (asked) =>
        simulated([one, rule(above(50), { number: 2, webhook })], (world) =>
          Effect.gen(function* () {
            const clock = yield* Effect.clock
            let free = 0
            let asking = 0
            world.receiver.answer = (_, attempt) => {
              const now = clock.unsafeCurrentTimeMillis()
              // The two of one sweep are under way together.
              if (now > asking) expect(now).toBeGreaterThanOrEqual(free)
              asking = now
              const retryAfter = asked[attempt - 1]
              if (retryAfter === undefined) return undefined
              free = Math.max(free, now + retryAfter * 1000)
              return failing("Unavailable", { retryAfter })
            }
            for (let sweep = 0; sweep < 60; sweep++) {
              world.moveOn()
              yield* world.sweep
              yield* Effect.sleep("5 minutes")
            }
          })
        )
      ),
      { numRuns: runs(30) }
    )
  })
})

describe("a receiver that is gone", () => {
  const one = rule(above(100), { webhook })
  const two = rule(above(100), { number: 2, symbol: "MSFT", webhook: "https://elsewhere.example.com/" })

  story("is told of its rule no more, which goes on without it; others are told", [one, two], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = ({ target }) => (target === webhook ? failing("Refused", { status: 410 }) : undefined)
      expect(yield* world.sweep).toMatchObject({ fired: 2, delivered: 1, deadLettered: 1, waiting: 0 })
      expect(Option.getOrThrow(yield* world.rules.get(one.id)).webhookGoneAt).toBeTypeOf("number")
      expect(Option.getOrThrow(yield* world.rules.get(two.id)).webhookGoneAt).toBeUndefined()
      world.receiver.attempts.length = 0
      for (const price of [90, 110, 90, 110]) {
        yield* later("5 minutes")
        world.script.price = price
        yield* world.sweep
      }
      expect(world.receiver.attempts.map(({ target }) => target)).toStrictEqual([two.webhook, two.webhook])
      expect(yield* stateOf(world, one)).toMatchObject({ firings: 3 })
      expect((yield* stateOf(world, one)).pending).toBeUndefined()
    })
  )

  for (const status of [400, 401, 404, 451]) {
    story(`has said so with 410 only: ${status} leaves the webhook on`, [one], (world) =>
      Effect.gen(function* () {
        world.receiver.answer = () => failing("Refused", { status })
        yield* world.sweep
        expect(Option.getOrThrow(yield* world.rules.get(one.id)).webhookGoneAt).toBeUndefined()
      })
    )
  }

  story("and whose rule was deleted meanwhile does not bring the rule back", [one], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = () => {
        Effect.runSync(world.rules.remove(one.id))
        return failing("Refused", { status: 410 })
      }
      yield* world.sweep
      expect(Option.isNone(yield* world.rules.get(one.id))).toBe(true)
    })
  )
})

describe("a dead letter", () => {
  const one = rule(above(100), { webhook })

  story("is sent again under its own key, and is none once it is taken", [one], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = () => failing("Refused", { status: 410 })
      yield* world.sweep
      const [key = ""] = (yield* world.repository.list(deadLetters)).keys
      const refused = yield* world.resend(key)
      expect(Option.map(refused, Either.isLeft)).toEqual(Option.some(true))
      expect(Option.getOrThrow(yield* world.repository.get(deadLetters, key)).attempts).toBe(2)
      world.receiver.answer = () => undefined
      const sent = Option.getOrThrow(yield* world.resend(key))
      expect(Either.isRight(sent)).toBe(true)
      expect(new Set(world.receiver.attempts.map(({ body, key }) => key + body)).size).toBe(1)
      expect((yield* world.repository.list(deadLetters)).keys).toStrictEqual([])
      expect(Option.getOrThrow(yield* world.rules.get(one.id)).webhookGoneAt).toBeUndefined()
      expect(yield* world.resend(key)).toEqual(Option.none())
      expect(yield* world.resend("never was")).toEqual(Option.none())
    })
  )

  story("of a rule that is no more is sent all the same", [one], (world) =>
    Effect.gen(function* () {
      world.receiver.answer = () => failing("Refused", { status: 404 })
      yield* world.sweep
      yield* world.rules.remove(one.id)
      world.receiver.answer = () => undefined
      const [key = ""] = (yield* world.repository.list(deadLetters)).keys
      expect(Option.map(yield* world.resend(key), Either.isRight)).toEqual(Option.some(true))
      expect(Option.isNone(yield* world.rules.get(one.id))).toBe(true)
    })
  )
})
