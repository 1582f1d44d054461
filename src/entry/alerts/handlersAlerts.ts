import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { resendDeadLetter } from "../../programs/alerts/resendDeadLetter.ts"
import { sweepAlerts } from "../../programs/alerts/sweepAlerts.ts"
import { AlertRules } from "../../services/alerts/AlertRules.ts"
import { AlertSettings } from "../../services/alerts/AlertSettings.ts"
import type { AlertCondition, AlertRule } from "../../services/alerts/model/AlertRule.ts"
import { type AlertState, alertStates } from "../../services/alerts/model/AlertState.ts"
import { type DeadLetter, deadLetters } from "../../services/alerts/model/DeadLetter.ts"
import type { MarketData } from "../../services/market/MarketData.ts"
import type { MarketSettings } from "../../services/market/MarketSettings.ts"
import { Throttle } from "../../services/market/Throttle.ts"
import { Notifier } from "../../services/notifications/Notifier.ts"
import { Repository } from "../../services/repository/Repository.ts"
import { StaticData } from "../../services/static-data/StaticData.ts"
import { larder } from "../http/apiLarder.ts"
import { cursorFrom, ownCursor } from "../http/cursor.ts"
import * as Handlers from "../http/handlers.ts"
import { type Problem, problem, refusing } from "../http/problem.ts"
import { withPrices } from "../market/marketProblems.ts"
import type { Draft } from "./apiAlerts.ts"
import { alerts } from "./apiAlerts.ts"

const isoTime = (millis: number): string => new Date(millis).toISOString()

const described = ({ average, evaluatedAt, firedAt, firings, pending, price, quoteAt, armed }: AlertState) => ({
  evaluatedAt: isoTime(evaluatedAt),
  quoteAt: isoTime(quoteAt),
  price,
  armed,
  firings,
  firedAt: firedAt === undefined ? null : isoTime(firedAt),
  average: average?.value ?? null,
  pending:
    pending === undefined
      ? null
      : {
          key: pending.key,
          firedAt: isoTime(pending.firedAt),
          attempts: pending.attempts,
          notBefore: pending.notBefore === undefined ? null : isoTime(pending.notBefore)
        }
})

const letterOf = ({ firedAt, givenUpAt, ruleId, ...rest }: DeadLetter) => ({
  ...rest,
  alert: ruleId,
  firedAt: isoTime(firedAt),
  givenUpAt: isoTime(givenUpAt)
})

const shown = ({ createdAt, webhook, webhookGoneAt, ...rule }: AlertRule, state: Option.Option<AlertState>) => ({
  ...rule,
  webhook: webhook ?? null,
  webhookGoneAt: webhookGoneAt === undefined ? null : isoTime(webhookGoneAt),
  createdAt: isoTime(createdAt),
  state: Option.isSome(state) ? described(state.value) : null
})

const usualHysteresis = (condition: AlertCondition): number =>
  condition.kind === "percent-change" ? Math.abs(condition.percent) / 10 : 0.5

const ruleOf = (draft: Draft, createdAt: number): AlertRule => ({
  id: crypto.randomUUID(),
  cooldownSeconds: 3600,
  hysteresisPercent: usualHysteresis(draft.condition),
  enabled: true,
  ...draft,
  createdAt
})

const misplaced = (pointer: string, detail: string): Problem =>
  problem("invalid-body", detail, { errors: [{ pointer, detail }] })

const noSuchAlert = (id: string): Problem => problem("no-such-alert", `no alert has the id "${id.slice(0, 64)}"`)

const isId = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)

/** Dead letters of one page. */
const pageSize = 100

export const layer = Handlers.group(larder.add(alerts), "alerts", (handlers) =>
  Effect.gen(function* () {
    const rules = yield* AlertRules
    const repository = yield* Repository
    const notifier = yield* Notifier
    const throttle = yield* Throttle
    const statics = yield* StaticData
    const { maxAlertRules } = yield* AlertSettings
    const services = yield* Effect.context<
      AlertRules | Repository | MarketData | MarketSettings | Throttle | Notifier
    >()

    const ruleWith = (id: string): Effect.Effect<AlertRule, Problem> =>
      Effect.flatMap(
        isId(id) ? refusing(rules.get(id)) : Effect.succeedNone,
        Option.match({ onNone: () => Effect.fail(noSuchAlert(id)), onSome: Effect.succeed })
      )

    return handlers
      .handle("list", () =>
        Effect.gen(function* () {
          const all = yield* refusing(rules.all)
          const ids = all.map(({ id }) => id)
          const states = ids.length === 0 ? [] : yield* refusing(repository.getMany(alertStates, ids))
          const now = yield* Clock.currentTimeMillis
          return {
            alerts: all.map((rule, index) => shown(rule, states[index]!)),
            throttle: {
              scope: throttle.scope,
              blocked: throttle.known(now).map(({ count, failureClass, provider, until }) => ({
                provider,
                failureClass,
                failures: count,
                until: isoTime(until)
              }))
            }
          }
        })
      )
      .handle("create", ({ payload }) =>
        Effect.gen(function* () {
          if (statics.symbol(payload.symbol) === undefined) {
            return yield* misplaced("#/symbol", `"${payload.symbol}" is not a symbol of this Worker`)
          }
          const refusal = payload.webhook === undefined ? undefined : notifier.refuses(payload.webhook)
          if (refusal !== undefined) return yield* misplaced("#/webhook", `this webhook cannot be notified: ${refusal}`)
          if (yield* refusing(rules.isFull(maxAlertRules))) {
            return yield* problem("too-many-alerts", `there may be ${maxAlertRules} alerts: delete one first`)
          }
          const rule = ruleOf(payload, yield* Clock.currentTimeMillis)
          yield* refusing(rules.create(rule))
          return Response.json(shown(rule, Option.none()), {
            status: 201,
            headers: { Location: `/api/v1/alerts/${rule.id}` }
          })
        })
      )
      .handle("deadLetters", ({ urlParams }) =>
        Effect.gen(function* () {
          const from = yield* ownCursor("dead letters", urlParams.cursor)
          const page = yield* refusing(repository.list(deadLetters, { ...from, limit: pageSize }))
          const found = page.keys.length === 0 ? [] : yield* refusing(repository.getMany(deadLetters, page.keys))
          return {
            deadLetters: Arr.getSomes(found).map(letterOf),
            cursor: page.cursor === undefined ? null : cursorFrom("dead letters", page.cursor)
          }
        })
      )
      .handle("resend", ({ path: { key } }) =>
        Effect.gen(function* () {
          const sent = yield* refusing(resendDeadLetter(key)).pipe(Effect.provide(services))
          if (Option.isNone(sent)) return yield* problem("no-such-dead-letter", "no dead letter has this key")
          if (Either.isRight(sent.value)) return letterOf(sent.value.right)
          const { message, retryAfter } = sent.value.left
          return yield* problem("webhook-failed", message, retryAfter === undefined ? {} : { retryAfter })
        })
      )
      .handle("get", ({ path: { id } }) =>
        Effect.gen(function* () {
          const rule = yield* ruleWith(id)
          return shown(rule, yield* refusing(repository.get(alertStates, rule.id)))
        })
      )
      .handle("remove", ({ path: { id } }) =>
        Effect.gen(function* () {
          const rule = yield* ruleWith(id)
          yield* refusing(rules.remove(rule.id))
          yield* refusing(repository.delete(alertStates, rule.id))
        })
      )
      .handle("sweep", () =>
        withPrices(refusing(sweepAlerts)).pipe(
          Effect.map((sweep) => ({ ...sweep, at: isoTime(sweep.at) })),
          Effect.provide(services)
        )
      )
  })
)
