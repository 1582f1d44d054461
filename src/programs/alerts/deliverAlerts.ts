import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { AlertRules } from "../../services/alerts/AlertRules.ts"
import { notificationOf } from "../../services/alerts/model/AlertNotification.ts"
import type { AlertRule } from "../../services/alerts/model/AlertRule.ts"
import { type AlertState, alertStates, type PendingNotification } from "../../services/alerts/model/AlertState.ts"
import { deadLetters } from "../../services/alerts/model/DeadLetter.ts"
import { failureClassOf, receiverOf } from "../../services/alerts/model/Receiver.ts"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import { Throttle } from "../../services/market/Throttle.ts"
import { isGone, Notifier, NotifierError } from "../../services/notifications/Notifier.ts"
import { Repository } from "../../services/repository/Repository.ts"
import type { StoreError, StoreResult } from "../../services/store/Store.ts"

/** A notification that this sweep has written down as its own. */
export interface Taken {
  readonly rule: AlertRule
  readonly state: AlertState
  readonly pending: PendingNotification
  readonly target: string
}

export interface Delivered {
  readonly delivered: number
  /** Left to a later sweep. */
  readonly waiting: number
  readonly deadLettered: number
}

/** How long after its firing a notification that nobody took becomes a dead letter. */
const giveUpAfter = Duration.minutes(30)

/** What all deliveries of a sweep may take together, whatever receivers do. */
const patience = Duration.seconds(25)

/** What each of them has at least: receivers that never answer must not take the time of those that do. */
const leastShare = Duration.seconds(3)

/** Receivers are left alone as long as they ask, within a day. */
const longestHold = Duration.days(1)

type Outcome = Taken & {
  readonly outcome: "delivered" | "waiting" | NotifierError
  /** Of one that waits: when it may be tried again, if its receiver said so. */
  readonly notBefore?: number
}

const unanswered = new NotifierError({ operation: "deliver", reason: "TimedOut" })

const leftAlone = new NotifierError({ operation: "deliver", reason: "Unavailable" })

/**
 * Tells receivers, and writes down who was told. What cannot be delivered waits for a later sweep; half an hour after
 * its firing, or at once where no repetition helps, it becomes a dead letter. A receiver that keeps failing is left
 * alone; one that says when to come again is left alone until then, which the state remembers; one that says that it is
 * gone is told of its rule no more. Dead letters are written before the states forget them: what dies in between is
 * told or buried again.
 */
export const deliverAlerts = (
  taken: ReadonlyArray<Taken>,
  startedAt: number
): Effect.Effect<Delivered, StoreError, AlertRules | Repository | Throttle | Notifier> =>
  Effect.gen(function* () {
    if (taken.length === 0) return { delivered: 0, waiting: 0, deadLettered: 0 }
    const repository = yield* Repository
    const throttle = yield* Throttle
    const notifier = yield* Notifier

    const share = Math.max(
      Duration.toMillis(leastShare),
      (Duration.toMillis(patience) * openConnections) / taken.length
    )
    const allHaveTheirTurn =
      taken.length * Duration.toMillis(leastShare) <= Duration.toMillis(patience) * openConnections

    const deliver = (one: Taken): Effect.Effect<Outcome> =>
      Effect.gen(function* () {
        const receiver = receiverOf(one.target)
        const outlived = startedAt - one.pending.firedAt >= Duration.toMillis(giveUpAfter)
        const left = startedAt + Duration.toMillis(patience) - (yield* Clock.currentTimeMillis)
        if (left <= 0) return { ...one, outcome: "waiting" }
        if (Option.isSome(yield* throttle.blocked(receiver)))
          return { ...one, outcome: outlived ? leftAlone : "waiting" }
        const result = yield* notifier
          .deliver(notificationOf(one.rule, one.target, one.pending))
          .pipe(Effect.timeoutFail({ duration: Math.min(left, share), onTimeout: () => unanswered }), Effect.either)
        if (Either.isRight(result)) {
          yield* throttle.succeeded(receiver)
          return { ...one, outcome: "delivered" }
        }
        const error = result.left
        yield* Effect.logWarning(`a webhook of ${one.rule.id} was not delivered`, error)
        const failureClass = failureClassOf(error)
        if (failureClass === undefined) return { ...one, outcome: error }
        yield* throttle.failed(receiver, failureClass, {
          ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter })
        })
        if (outlived) return { ...one, outcome: error }
        const hold = Math.min((error.retryAfter ?? 0) * 1000, Duration.toMillis(longestHold))
        const now = yield* Clock.currentTimeMillis
        return { ...one, outcome: "waiting", ...(hold > 0 ? { notBefore: now + hold } : {}) }
      })

    const inTurn = allHaveTheirTurn ? taken : yield* Random.shuffle(taken)
    const outcomes = yield* Effect.forEach(inTurn, deliver, { concurrency: openConnections })
    const dead = outcomes.flatMap(({ outcome, ...one }) =>
      outcome instanceof NotifierError ? [{ ...one, error: outcome }] : []
    )
    const now = yield* Clock.currentTimeMillis
    const buried =
      dead.length === 0
        ? []
        : yield* repository.setMany(
            deadLetters,
            dead.map(({ error, pending, rule, target }) => ({
              key: pending.key,
              value: {
                key: pending.key,
                ruleId: rule.id,
                target,
                body: notificationOf(rule, target, pending).body,
                firedAt: pending.firedAt,
                givenUpAt: now,
                attempts: pending.attempts,
                reason: error.message
              }
            }))
          )
    const gone = dead.filter((_, index) => buried[index]?._tag === "Done")
    yield* switchOff(gone.flatMap(({ error, rule }) => (isGone(error) ? [rule] : [])))
    const delivered = outcomes.filter(({ outcome }) => outcome === "delivered")
    const held = outcomes.flatMap((one) => (one.notBefore === undefined ? [] : [postponed(one, one.notBefore)]))
    yield* settle(repository, [...[...delivered, ...gone].map(forgotten), ...held])
    return {
      delivered: delivered.length,
      waiting: taken.length - delivered.length - gone.length,
      deadLettered: gone.length
    }
  })

/** KV takes one write a second under one key, and the same states were written a moment ago. */
const betweenWrites = Schedule.intersect(Schedule.spaced("1100 millis"), Schedule.recurs(3))

/** Rules whose receiver is gone keep everything but that. One that was deleted meanwhile stays so. */
const switchOff = (rules: ReadonlyArray<AlertRule>): Effect.Effect<void, never, AlertRules> =>
  Effect.gen(function* () {
    const kept = yield* AlertRules
    for (const { id, webhook } of rules) {
      const rule = Option.getOrUndefined(yield* kept.get(id))
      if (rule === undefined || rule.webhook !== webhook) continue
      yield* kept.put({ ...rule, webhookGoneAt: yield* Clock.currentTimeMillis })
      yield* Effect.logWarning(`the receiver of ${id} is gone: its webhook is switched off`)
    }
  }).pipe(Effect.catchAll((error) => Effect.logWarning("a webhook that is gone could not be switched off", error)))

type StateWrite = { readonly key: string; readonly value: AlertState }

const forgotten = ({ rule, state: { pending: _, ...state } }: Taken): StateWrite => ({ key: rule.id, value: state })

const postponed = ({ pending, rule, state }: Taken, notBefore: number): StateWrite => ({
  key: rule.id,
  value: { ...state, pending: { ...pending, notBefore } }
})

/**
 * The states forget what was settled, and remember what has to wait. Where they cannot, a later sweep tells the
 * receiver again, under the same key.
 */
const settle = (repository: Repository["Type"], writes: ReadonlyArray<StateWrite>): Effect.Effect<void, StoreError> => {
  if (writes.length === 0) return Effect.void
  const write = Effect.flatMap(
    repository.setMany(alertStates, writes),
    (results) => firstFailure(results) ?? Effect.void
  )
  return Effect.catchAll(
    Effect.retry(write, { schedule: betweenWrites, while: ({ reason }) => reason === "RateLimited" }),
    (error) => Effect.logWarning("delivered notifications could not be ticked off, and will be repeated", error)
  )
}

const firstFailure = (results: ReadonlyArray<StoreResult<unknown>>): StoreError | undefined => {
  for (const result of results) if (result._tag === "Failed") return result.error
  return undefined
}
