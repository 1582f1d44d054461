import type { BudgetService } from "../../../services/budget/Budget.ts"
import type { TierSettings } from "../../../services/settings/Settings.ts"

/**
 * Whether an old answer is to be served as long as it may be, instead of asking for a new one: each costs a KV read,
 * and where KV keeps the entries a new load costs a write.
 */
export const makeStaleForBudget =
  (budget: BudgetService, { durableMode }: TierSettings) =>
  (loadable: boolean, now: number): boolean =>
    budget.mode("reads", now) !== "normal" || (loadable && !durableMode && budget.mode("writes", now) !== "normal")
