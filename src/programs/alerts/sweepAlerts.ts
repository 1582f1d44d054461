import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { AlertRules } from "../../services/alerts/AlertRules.ts"
import { evaluate } from "../../services/alerts/model/AlertEvaluation.ts"
import { receiverOfRule } from "../../services/alerts/model/AlertRule.ts"
import { type AlertState, alertStates } from "../../services/alerts/model/AlertState.ts"
import { receiverOf } from "../../services/alerts/model/Receiver.ts"
import type { MarketData } from "../../services/market/MarketData.ts"
import type { Throttle } from "../../services/market/Throttle.ts"
import type { Notifier } from "../../services/notifications/Notifier.ts"
import { Repository } from "../../services/repository/Repository.ts"
import type { StoreError } from "../../services/store/Store.ts"
import { type Delivered, deliverAlerts, type Taken } from "./deliverAlerts.ts"
import { observeSymbols, type Watched } from "./observeSymbols.ts"

export interface AlertSweep extends Delivered {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Enabled rules. */
  readonly rules: number
  readonly evaluated: number
  readonly fired: number
  /** States that the store took, and those that it did not: their rules are evaluated again by the next sweep. */
  readonly written: number
  readonly notWritten: number
}

/**
 * How long the sweep that took a notification is left to deliver it; then another one may. Shorter than the time
 * between two crons, longer than any delivery.
 */
const claim = Duration.minutes(4)

/**
 * Looks at every enabled rule once: all states are read in one batch, those that changed written in one. A firing is
 * written down before its receiver is told, so that a sweep that dies in between leaves it to the next one, under the
 * same idempotency key. What happens twice, late or at the same time as another sweep changes nothing or is told
 * under the same key. See docs/alerts.md.
 */
export const sweepAlerts: Effect.Effect<
  AlertSweep,
  StoreError,
  AlertRules | Repository | MarketData | Throttle | Notifier
> = Effect.gen(function* () {
  const repository = yield* Repository
  const now = yield* Clock.currentTimeMillis
  const rules = (yield* (yield* AlertRules).all).filter(({ enabled }) => enabled)
  const states =
    rules.length === 0
      ? []
      : yield* repository.getEach(
          alertStates,
          rules.map(({ id }) => id)
        )
  // A rule whose state cannot be read is left alone: what it has fired is not known.
  const watched = rules.flatMap((rule, index): ReadonlyArray<Watched> => {
    const state = states[index]!
    return Either.isRight(state) ? [{ rule, state: Option.getOrUndefined(state.right) }] : []
  })
  const observed = yield* observeSymbols(watched, now)
  const held = heldReceivers(watched)

  let evaluated = 0
  let fired = 0
  const changed = watched.flatMap((one) => {
    const sight = observed(one)
    const { firing, state } =
      sight === undefined ? { state: one.state, firing: undefined } : evaluate(one.rule, one.state, sight, now)
    if (state === undefined) return []
    if (state !== one.state) evaluated += 1
    if (firing !== undefined) fired += 1
    const target = receiverOfRule(one.rule)
    const notBefore = target === undefined ? 0 : (held.get(receiverOf(target)) ?? 0)
    const pending =
      firing === undefined || notBefore <= now ? firing : { ...firing, takenAt: 0, attempts: 0, notBefore }
    const after =
      target === undefined
        ? untold(state)
        : taken(pending === undefined ? state : { ...state, pending }, now, notBefore)
    return after === one.state ? [] : [{ rule: one.rule, state: after }]
  })
  const results =
    changed.length === 0
      ? []
      : yield* repository.setMany(
          alertStates,
          changed.map(({ rule, state }) => ({ key: rule.id, value: state }))
        )
  const stored = changed.filter((_, index) => results[index]?._tag === "Done")
  const toDeliver = stored.flatMap(({ rule, state }): ReadonlyArray<Taken> => {
    const target = receiverOfRule(rule)
    return state.pending?.takenAt === now && target !== undefined
      ? [{ rule, state, pending: state.pending, target }]
      : []
  })
  const sweep: AlertSweep = {
    at: now,
    rules: rules.length,
    evaluated,
    fired,
    written: stored.length,
    notWritten: changed.length - stored.length,
    ...(yield* deliverAlerts(toDeliver, now))
  }
  yield* sweep.notWritten > 0
    ? Effect.logWarning("alerts were swept, and not all of their states kept", sweep)
    : (rules.length > 0 ? Effect.logInfo : Effect.logDebug)("alerts were swept", sweep)
  return sweep
})

/** Until when receivers asked not to be told anything, as the last sweep that met them wrote it down. */
const heldReceivers = (watched: ReadonlyArray<Watched>): ReadonlyMap<string, number> => {
  const held = new Map<string, number>()
  for (const { rule, state } of watched) {
    const target = receiverOfRule(rule)
    const notBefore = state?.pending?.notBefore
    if (target === undefined || notBefore === undefined) continue
    const receiver = receiverOf(target)
    held.set(receiver, Math.max(held.get(receiver) ?? 0, notBefore))
  }
  return held
}

/** Without anybody to tell, nothing is pending: a webhook was switched off after its notification was buried. */
const untold = (state: AlertState): AlertState => {
  if (state.pending === undefined) return state
  const { pending: _, ...rest } = state
  return rest
}

/** A notification that an earlier sweep left behind is taken over, once its receiver may be asked again. */
const taken = (state: AlertState, now: number, notBefore: number): AlertState => {
  const { pending } = state
  return pending === undefined || now < pending.takenAt + Duration.toMillis(claim) || now < notBefore
    ? state
    : { ...state, pending: { ...pending, takenAt: now, attempts: pending.attempts + 1 } }
}
