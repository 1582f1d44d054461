import type { BudgetMode, BudgetService } from "../../budget/Budget.ts"
import { resetsAt } from "../../budget/model/BudgetRules.ts"
import type { MonitorValues } from "../MonitorSettings.ts"

/**
 * - `normal`. `saving`: what is optional stops, and writes behind wait longer. `stale`: reads are served stale, too.
 * - `reached`: requests are refused, where the settings say so.
 */
export type CapState = "normal" | "saving" | "stale" | "reached"

const savingFrom = 0.7
const staleFrom = 0.9

/** @param spent dollars of this UTC day */
export const stateOf = (spent: number, cap: number): CapState => {
  if (cap === 0 || spent < savingFrom * cap) return "normal"
  if (spent < staleFrom * cap) return "saving"
  return spent < cap ? "stale" : "reached"
}

/** Whether a state of the cap refuses requests. */
export const refuses = (state: CapState, { killSwitch, spendCapRefuses }: MonitorValues): boolean =>
  killSwitch || (state === "reached" && spendCapRefuses)

const order: ReadonlyArray<BudgetMode> = ["normal", "saving", "spent"]

/** How much longer intervals between flushes are by each state. */
const stretches: { readonly [S in CapState]: number } = { normal: 1, saving: 4, stale: 24, reached: 24 }

/** A budget that saves as much as the state of the cap says, or more. */
export const capped = (budget: BudgetService, state: (now: number) => CapState): BudgetService => ({
  ...budget,
  mode: (kind, now) => {
    const own = budget.mode(kind, now)
    const at = state(now)
    const wanted = at === "normal" ? "normal" : at === "saving" ? "saving" : "spent"
    return order.indexOf(own) >= order.indexOf(wanted) ? own : wanted
  },
  stretch: (now) => Math.max(budget.stretch(now), stretches[state(now)])
})

/** Seconds until a UTC day's cap begins anew. */
export const retryAfter = (now: number): number => Math.ceil((resetsAt(now) - now) / 1000)
