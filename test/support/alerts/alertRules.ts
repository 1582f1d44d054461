import type { Observed } from "../../../src/services/alerts/model/AlertEvaluation.ts"
import type { AlertCondition, AlertRule } from "../../../src/services/alerts/model/AlertRule.ts"

const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`

/** A rule with the terms of the test's own: without cooldown, hysteresis and webhook. */
export const rule = (
  condition: AlertCondition,
  terms: Partial<AlertRule> & { readonly number?: number } = {}
): AlertRule => {
  const { number = 1, ...rest } = terms
  return {
    id: idOf(number),
    symbol: "AAPL",
    condition,
    cooldownSeconds: 0,
    hysteresisPercent: 0,
    enabled: true,
    createdAt: 0,
    ...rest
  }
}

export const above = (price: number): AlertCondition => ({ kind: "price-above", price })

export const below = (price: number): AlertCondition => ({ kind: "price-below", price })

/** A price that traded at the moment it is seen. */
export const seen = (price: number, at: number): Observed => ({ quote: { price, at } })
