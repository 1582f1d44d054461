import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { BudgetAccount } from "../../../src/services/budget/BudgetAccount.ts"
import { noCounts } from "../../../src/services/ledger/Ledger.ts"

/** What every BudgetAccount promises to an isolate that leases whole batches: here a multiple of 25 writes. */
export const budgetAccountContract = (name: string, make: () => BudgetAccount["Type"]): void => {
  const writes = (count: number) => ({ ...noCounts, writes: count })
  const total = (account: BudgetAccount["Type"], day: number, count: number) =>
    Effect.map(account.share(day, writes(count)), ({ total }) => total.writes)

  describe(`BudgetAccount: ${name}`, () => {
    it.effect("adds up what is shared, and tells who adds nothing", () =>
      Effect.gen(function* () {
        const account = make()
        assert.strictEqual(yield* total(account, 5, 25), 25)
        assert.strictEqual(yield* total(account, 5, 50), 75)
        assert.strictEqual(yield* total(account, 5, 0), 75)
      })
    )

    it.effect("begins at nothing on every day, and hears no more of the ones before", () =>
      Effect.gen(function* () {
        const account = make()
        yield* total(account, 5, 25)
        assert.strictEqual(yield* total(account, 6, 0), 0)
        assert.strictEqual(yield* total(account, 6, 50), 50)
        yield* total(account, 5, 25)
        assert.strictEqual(yield* total(account, 6, 0), 50)
      })
    )

    it("is due at an isolate's beginning", () => {
      assert.isTrue(make().due(noCounts, undefined, 0))
    })
  })
}
