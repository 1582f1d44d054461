import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { AlertRules } from "../../services/alerts/AlertRules.ts"
import type { AlertRule } from "../../services/alerts/model/AlertRule.ts"

export const make = (rules: ReadonlyArray<AlertRule> = []): AlertRules["Type"] => {
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  const put = (rule: AlertRule) => Effect.sync(() => void byId.set(rule.id, rule))
  return {
    all: Effect.sync(() => [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))),
    get: (id) => Effect.sync(() => Option.fromNullable(byId.get(id))),
    isFull: (most) => Effect.sync(() => byId.size >= most),
    create: put,
    put,
    remove: (id) => Effect.sync(() => void byId.delete(id))
  }
}

/** Rules that are given. For tests and replays. */
export const layer = (rules?: ReadonlyArray<AlertRule>): Layer.Layer<AlertRules> =>
  Layer.sync(AlertRules, () => make(rules))
