import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { dayOf } from "../../services/base/model/UtcDay.ts"
import { Budget, type BudgetMode, type BudgetReport, type BudgetService } from "../../services/budget/Budget.ts"
import { BudgetAccount, plus } from "../../services/budget/BudgetAccount.ts"
import * as BudgetRules from "../../services/budget/model/BudgetRules.ts"
import type { DailyAllowance } from "../../services/budget/model/KvAllowance.ts"
import { type KvCounts, noCounts } from "../../services/ledger/Ledger.ts"
import type { KvKind } from "../../services/ledger/model/KvKind.ts"

/** How long nothing is shared after an attempt that failed. */
const retryMillis = 60_000

/** Longer than an account may take to answer: after this a sync was lost with the request that began it. */
const lostMillis = 30_000

/** The allowances of a UTC day, spent together with all who share the account. */
export const make = (allowances: DailyAllowance, account: BudgetAccount["Type"]): BudgetService => {
  const kinds = (["reads", "writes", "deletes", "lists"] as const).filter((kind) => allowances[kind] !== undefined)
  let day = Number.NEGATIVE_INFINITY
  /** What the account is known to hold of all, what is on its way there, and what is not. */
  let known: KvCounts = noCounts
  let going: KvCounts = noCounts
  let own: Record<KvKind, number> = { ...noCounts }
  let modes: Record<KvKind, BudgetMode> = normal()
  let goingSince: number | undefined
  let attempts = 0
  let syncedAt: number | undefined
  let failedAt = Number.NEGATIVE_INFINITY

  const turn = (now: number): void => {
    const today = dayOf(now)
    if (today <= day) return
    day = today
    known = noCounts
    going = noCounts
    own = { ...noCounts }
    modes = normal()
    syncedAt = undefined
  }

  const spentOf = (kind: KvKind): number => known[kind] + going[kind] + own[kind]
  const usableOf = (kind: KvKind): number => BudgetRules.usableOf(kind, allowances[kind]!)

  const isGoing = (now: number): boolean => goingSince !== undefined && now - goingSince <= lostMillis

  const mode = (kind: KvKind, now: number): BudgetMode => {
    if (allowances[kind] === undefined) return "normal"
    turn(now)
    modes[kind] = BudgetRules.modeAfter(modes[kind], spentOf(kind), usableOf(kind), now)
    return modes[kind]
  }

  const record = (kind: KvKind, count: number, now: number): void => {
    turn(now)
    own[kind] += count
  }

  const share = (now: number): Effect.Effect<void> => {
    const shared = day
    const attempt = ++attempts
    goingSince = now
    going = own
    own = { ...noCounts }
    const settle = (body: () => void): Effect.Effect<void> =>
      Effect.sync(() => {
        // What was lost and has come after all is no news any more: the same was shared again.
        if (attempt !== attempts) return
        if (day === shared) body()
        going = noCounts
        goingSince = undefined
        syncedAt = now
      })
    return Effect.matchCauseEffect(account.share(shared, going), {
      onFailure: (cause) =>
        Effect.zipRight(
          Effect.logWarning("the daily budget could not be shared", cause),
          settle(() => {
            own = { ...plus(own, going) }
            failedAt = now
          })
        ),
      onSuccess: ({ billed, total }) =>
        settle(() => {
          known = total
          own = { ...plus(own, billed) }
        })
    })
  }

  return {
    mode,
    record,
    stretch: (now) => {
      const current = mode("writes", now)
      return current === "normal" ? 1 : BudgetRules.stretchOf(current, spentOf("writes"), usableOf("writes"), now)
    },
    report: (now) => {
      const entries = kinds.map((kind) => {
        const current = mode(kind, now)
        return [kind, { allowance: allowances[kind]!, spent: spentOf(kind), mode: current }] as const
      })
      return { kinds: Object.fromEntries(entries) as BudgetReport["kinds"], resetsAt: BudgetRules.resetsAt(now) }
    },
    due: (now) => {
      turn(now)
      if (now - failedAt < retryMillis || isGoing(now)) return false
      return account.due(own, syncedAt, now)
    },
    sync: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      turn(now)
      if (isGoing(now)) return Effect.void
      own = { ...plus(own, going) }
      return share(now)
    })
  }
}

const normal = (): Record<KvKind, BudgetMode> => ({
  reads: "normal",
  writes: "normal",
  deletes: "normal",
  lists: "normal"
})

/** What these allowances leave to spend, together with all isolates that are provided with the same account. */
export const layer = (allowances: DailyAllowance): Layer.Layer<Budget, never, BudgetAccount> =>
  Layer.effect(
    Budget,
    Effect.map(BudgetAccount, (account) => make(allowances, account))
  )
