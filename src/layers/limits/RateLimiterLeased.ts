import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Budget, type BudgetMode, type BudgetService } from "../../services/budget/Budget.ts"
import type { Limits } from "../../services/limits/Limits.ts"
import type { Window } from "../../services/limits/model/FixedWindow.ts"
import { RateLimiter, type RateLimiterService, type RateVerdict } from "../../services/limits/RateLimiter.ts"

/** Adds hits to the window of a caller, where all isolates count; see {@link Limits}. */
export type Lease = (caller: string, hits: number, windowMillis: number) => Effect.Effect<Window, unknown>

export interface RateOptions {
  /** Requests of one caller in a window. */
  readonly limit: number
  readonly lease: Lease
  /** How long a lease is waited for. Milliseconds. */
  readonly patienceMillis?: number
}

const windowMillis = 60_000

/** A lease is a tenth of what is allowed: so much of it an isolate may hold and not use. */
const leases = 10

/** Callers that one isolate remembers. */
const mostCallers = 1000

const shares: { readonly [M in BudgetMode]: number } = { normal: 1, saving: 0.5, spent: 0.25 }

/** What of the limit is allowed while operations of the day run low. */
const shareOf = (budget: BudgetService, now: number): number =>
  Math.min(...(["reads", "writes", "deletes", "lists"] as const).map((kind) => shares[budget.mode(kind, now)]))

interface Held {
  endsAt: number
  /** Requests that were leased and not made. */
  held: number
  /** What others may still lease, as it was said last. */
  free: number
  /** Granted here while nobody answered. */
  alone: number
  isSpent: boolean
}

/**
 * Isolates lease what a caller is allowed, in blocks, from one place that counts for all: together they never grant more
 * than the limit. While that place does not answer, an isolate grants what the limit allows as if it were alone.
 */
export const make = (
  { lease, limit, patienceMillis = 500 }: RateOptions,
  budget: BudgetService
): RateLimiterService => {
  const callers = new Map<string, Held>()

  const heldOf = (caller: string, now: number, allowed: number): Held => {
    const known = callers.get(caller)
    if (known !== undefined && known.endsAt > now) return known
    const endsAt = (Math.floor(now / windowMillis) + 1) * windowMillis
    const fresh = { endsAt, held: 0, free: allowed, alone: 0, isSpent: false }
    callers.delete(caller)
    callers.set(caller, fresh)
    if (callers.size > mostCallers) callers.delete(callers.keys().next().value!)
    return fresh
  }

  const use = (held: Held, allowed: number): RateVerdict => {
    const isAllowed = held.held > 0
    if (isAllowed) held.held -= 1
    else held.isSpent = true
    return {
      allowed: isAllowed,
      limit: allowed,
      remaining: held.isSpent ? held.held : held.held + held.free,
      resetAt: held.endsAt,
      windowMillis
    }
  }

  return {
    ask: (caller) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const allowed = Math.floor(limit * shareOf(budget, now))
        const held = heldOf(caller, now, allowed)
        if (held.held > 0 || held.isSpent) return Effect.succeed(use(held, allowed))
        const block = Math.max(1, Math.ceil(allowed / leases))
        return lease(caller, block, windowMillis).pipe(
          Effect.timeoutFail({ duration: patienceMillis, onTimeout: () => "late" }),
          Effect.match({
            onSuccess: ({ endsAt, hits }) => {
              held.endsAt = endsAt
              held.held += Math.max(0, Math.min(block, allowed - (hits - block)))
              held.free = Math.max(0, allowed - hits)
            },
            onFailure: () => {
              const more = Math.max(0, Math.min(block, allowed - held.alone))
              held.alone += more
              held.held += more
              held.free = Math.max(0, allowed - held.alone)
            }
          }),
          Effect.map(() => use(held, allowed))
        )
      })
  }
}

export const layer = (options: RateOptions): Layer.Layer<RateLimiter> =>
  Layer.effect(
    RateLimiter,
    Effect.map(Budget, (budget) => make(options, budget))
  )
