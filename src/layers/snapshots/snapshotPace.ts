import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type BudgetService, unlimited } from "../../services/budget/Budget.ts"

/** The part of an object's storage that is used; one billed row per snapshot. */
export interface PaceStorage {
  readonly get: <A>(key: string) => A | undefined
  readonly put: (key: string, at: number) => void
}

const key = "flushedAt"

/**
 * How far apart a shard's snapshots are while the budget of KV writes is short. Nothing is lost by a later one: its rows
 * are in the object's own storage.
 */
export const makeSnapshotPace = (budget: BudgetService, storage: PaceStorage) => ({
  /** Writes a snapshot if there is something to write, and remembers when. */
  flush: <E, R>(flush: Effect.Effect<boolean, E, R>): Effect.Effect<boolean, E, R> =>
    Effect.tap(flush, (written) =>
      written ? Effect.map(Clock.currentTimeMillis, (now) => storage.put(key, now)) : Effect.void
    ),
  /**
   * Milliseconds since the epoch before which the alarm is not to write the next one: `everyMillis` after the last,
   * stretched; the next day where only the reserve is left.
   */
  notBefore: (everyMillis: number): Effect.Effect<number> =>
    Effect.zipRight(
      budget.sync,
      Effect.map(Clock.currentTimeMillis, (now) => {
        const report = budget.report(now)
        if (report === undefined) return 0
        if (budget.mode("writes", now) === "spent") return report.resetsAt
        const stretched = (storage.get<number>(key) ?? 0) + everyMillis * budget.stretch(now)
        return Math.min(stretched, report.resetsAt)
      })
    )
})

/** A shard's flush at that pace, with what its alarm asks beforehand; at the alarm's own where nothing is limited. */
export const paced = <E, R>(flush: Effect.Effect<boolean, E, R>, budget: BudgetService, storage: PaceStorage) => {
  if (budget === unlimited) return { flush }
  const pace = makeSnapshotPace(budget, storage)
  return { flush: pace.flush(flush), notBefore: pace.notBefore }
}
