import * as Effect from "effect/Effect"
import { type BudgetAccount, plus } from "../../services/budget/BudgetAccount.ts"
import { type KvCounts, noCounts } from "../../services/ledger/Ledger.ts"

interface Kept {
  readonly day: number
  readonly total: KvCounts
}

/** The part of an object's storage that is used; one billed row per change. */
export interface AccountStorage {
  readonly get: <A>(key: string) => A | undefined
  readonly put: (key: string, kept: Kept) => void
}

const key = "budget"

/** The account in the storage of one object, which its alarm and all isolates share. */
export const make = (storage: AccountStorage): BudgetAccount["Type"] => ({
  share: (day, spent) =>
    Effect.sync(() => {
      const kept = storage.get<Kept>(key)
      if (kept !== undefined && kept.day > day) return { total: noCounts, billed: noCounts }
      const before = kept?.day === day ? kept.total : noCounts
      const total = plus(before, spent)
      if (isSome(spent)) storage.put(key, { day, total })
      return { total, billed: noCounts }
    }),
  due: () => true
})

const isSome = ({ deletes, lists, reads, writes }: KvCounts): boolean => reads + writes + deletes + lists > 0
