import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BudgetAccount, plus } from "../../services/budget/BudgetAccount.ts"
import { type KvCounts, noCounts } from "../../services/ledger/Ledger.ts"

/** One process's account: exact, free, and as old as the process. Isolates share it by being provided with one. */
export const make = (): BudgetAccount["Type"] => {
  let today = Number.NEGATIVE_INFINITY
  let total: KvCounts = noCounts
  return {
    share: (day, spent) =>
      Effect.sync(() => {
        if (day > today) {
          today = day
          total = noCounts
        }
        if (day === today) total = plus(total, spent)
        return { total, billed: noCounts }
      }),
    due: () => true
  }
}

export const layer: Layer.Layer<BudgetAccount> = Layer.sync(BudgetAccount, make)
