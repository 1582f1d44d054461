import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { KvKind } from "../ledger/model/KvKind.ts"

/**
 * - `normal`: nothing to save. `saving`: spent faster than the day goes by, so whatever can wait, waits.
 * - `spent`: what is left is reserved for what must be stored.
 */
export type BudgetMode = "normal" | "saving" | "spent"

export interface BudgetReport {
  /** Per kind of operation that has an allowance. */
  readonly kinds: {
    readonly [K in KvKind]?: {
      /** Operations that the day allows. */
      readonly allowance: number
      /** Operations of all isolates since 00:00 UTC, as far as this one knows. */
      readonly spent: number
      readonly mode: BudgetMode
    }
  }
  /** Milliseconds since the epoch: the next 00:00 UTC. */
  readonly resetsAt: number
}

/** All `now` are milliseconds since the epoch. Synchronous but for `sync`: asking and counting must cost nothing. */
export interface BudgetService {
  readonly mode: (kind: KvKind, now: number) => BudgetMode
  /** By how much every interval between flushes is to be longer; 1 while nothing is to be saved. */
  readonly stretch: (now: number) => number
  /** Undefined when nothing is limited. */
  readonly report: (now: number) => BudgetReport | undefined
  /** Counts billed operations of this isolate. */
  readonly record: (kind: KvKind, count: number, now: number) => void
  /** Whether it is time for `sync`; never where there is nothing to share. */
  readonly due?: (now: number) => boolean
  /** Shares what this isolate spent and learns what the others did. A failure is logged; what was not shared is kept. */
  readonly sync: Effect.Effect<void>
}

/** No allowance: everything may be spent. */
export const unlimited: BudgetService = {
  mode: () => "normal",
  stretch: () => 1,
  report: () => undefined,
  record: () => undefined,
  sync: Effect.void
}

/** What stands over the budget, such as a cap in dollars. A reference: nothing does unless it is said. */
export class BudgetLimit extends Context.Reference<BudgetLimit>()("larder/BudgetLimit", {
  defaultValue:
    () =>
    (budget: BudgetService): BudgetService =>
      budget
}) {}

/** Daily allowances of KV operations, by kind; a day is a UTC day. A reference: nothing is limited unless it is said. */
export class Budget extends Context.Reference<Budget>()("larder/Budget", {
  defaultValue: (): BudgetService => unlimited
}) {}
