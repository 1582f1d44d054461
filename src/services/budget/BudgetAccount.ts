import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { KvCounts } from "../ledger/Ledger.ts"

export class BudgetAccountError extends Data.TaggedError("BudgetAccountError")<{
  readonly operation: "share"
  readonly reason: "Unavailable" | "Damaged"
  readonly cause?: unknown
}> {}

export interface BudgetShared {
  /** Operations of all isolates on that day, this one's included. */
  readonly total: KvCounts
  /** KV operations that sharing has cost. */
  readonly billed: KvCounts
}

/** Where isolates tell each other what they have spent of a day's allowance. */
export class BudgetAccount extends Context.Tag("larder/BudgetAccount")<
  BudgetAccount,
  {
    /**
     * Adds what this isolate has spent since it last did, and learns the total. A day is a UTC day, counted from 1970.
     * After a failure the same is added again, so that a lost answer counts twice: too much rather than too little.
     */
    readonly share: (day: number, spent: KvCounts) => Effect.Effect<BudgetShared, BudgetAccountError>
    /** Whether it is time to share this much, last shared at `before`; `now` in milliseconds since the epoch. */
    readonly due: (spent: KvCounts, before: number | undefined, now: number) => boolean
  }
>() {}

export const plus = (one: KvCounts, other: KvCounts): KvCounts => ({
  reads: one.reads + other.reads,
  writes: one.writes + other.writes,
  deletes: one.deletes + other.deletes,
  lists: one.lists + other.lists
})
