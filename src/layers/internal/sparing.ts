import type { BudgetService } from "../../services/Budget.ts"
import type { Settings } from "../../services/Settings.ts"

/**
 * Whether an old answer is to be served as long as it may be, instead of asking for a new one: each costs a KV read,
 * and where KV keeps the entries a new load costs a write.
 */
export const makeSparing =
  (budget: BudgetService, { durableMode }: Settings["Type"]) =>
  (loadable: boolean, now: number): boolean =>
    budget.mode("reads", now) !== "normal" || (loadable && !durableMode && budget.mode("writes", now) !== "normal")
