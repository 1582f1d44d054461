import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Background } from "../../services/base/Background.ts"
import { Budget, type BudgetService } from "../../services/budget/Budget.ts"
import { Kv, KvError, type KvOperation } from "../../services/kv/Kv.ts"
import type { KvKind } from "../../services/ledger/model/KvKind.ts"
import { isRefusal } from "../kv/KvMetered.ts"

/**
 * - `refusing`: a write or a delete beyond the allowance fails with `DailyLimit`, as KV's own limit would have it. Reads
 *   and lists are never refused.
 * - `counting`: nothing is refused: what keeps acknowledged writes must be tried while KV itself takes it.
 */
type Conduct = "refusing" | "counting"

/**
 * A namespace whose every billed operation is spent from the budget; what the isolates know is shared behind. Without a
 * budget, that namespace itself.
 */
export const make = (kv: Context.Tag.Service<Kv>, budget: BudgetService, conduct: Conduct): Context.Tag.Service<Kv> => {
  if (budget.report(0) === undefined) return kv
  const spend = (kind: KvKind, count: number, now: number): Effect.Effect<void> => {
    budget.record(kind, count, now)
    return budget.due?.(now) === true
      ? Effect.flatMap(Background, (background) => background.run(budget.sync))
      : Effect.void
  }

  const spending =
    (kind: KvKind, count: number) =>
    (exit: Exit.Exit<unknown, KvError>): Effect.Effect<void> =>
      isRefusal(exit) ? Effect.void : Effect.clockWith((clock) => spend(kind, count, clock.unsafeCurrentTimeMillis()))

  const allowed = (operation: KvOperation, kind: KvKind): Effect.Effect<void, KvError> =>
    Effect.clockWith((clock) => {
      const state = budget.report(clock.unsafeCurrentTimeMillis())?.kinds[kind]
      return state !== undefined && state.spent >= state.allowance
        ? Effect.fail(
            new KvError({ operation, reason: "DailyLimit", cause: new Error(`the budget of ${kind} is spent`) })
          )
        : Effect.void
    })

  const changing = <A>(operation: KvOperation, kind: KvKind, effect: Effect.Effect<A, KvError>) => {
    const counted = Effect.onExit(effect, spending(kind, 1))
    return conduct === "refusing" ? Effect.zipRight(allowed(operation, kind), counted) : counted
  }

  return {
    get: (key, options) => Effect.onExit(kv.get(key, options), spending("reads", 1)),
    getBulk: (keys, options) => Effect.onExit(kv.getBulk(keys, options), spending("reads", keys.length)),
    put: (key, value, options) => changing("put", "writes", kv.put(key, value, options)),
    delete: (key) => changing("delete", "deletes", kv.delete(key)),
    list: (options) => Effect.onExit(kv.list(options), spending("lists", 1))
  }
}

/** Spends the budget on the `Kv` it is provided with. */
export const layer = (conduct: Conduct): Layer.Layer<Kv, never, Kv> =>
  Layer.effect(
    Kv,
    Effect.map(Effect.all([Kv, Budget]), ([kv, budget]) => make(kv, budget, conduct))
  )
