import * as Duration from "effect/Duration"
import type { Collection } from "../../store/model/Collection.ts"
import type { Outcome } from "./WriteHistory.ts"

/** What reads of a collection saw of what had been replaced. Ages and bounds in milliseconds. */
export interface Staleness {
  readonly reads: number
  /** The longest that a stale read came after the moment from which the store of record was to have the newer value. */
  readonly oldest: number
  /** What the policy allows: {@link boundOf}. */
  readonly bound: number
}

/** The longest that a read may see what has been replaced: by the policy's memory, edge and grace, and what the store adds. */
export const boundOf = ({ millis }: Collection, lag: number): number =>
  Math.max(millis.memoryTtl, millis.edgeTtl) + Math.max(millis.staleFor, millis.graceFor) + lag

/** The moment from which the store of record is to have a write that was acknowledged at `now`. */
export const dueAt = ({ policy }: Collection, as: Outcome, now: number): number =>
  as === "buffered" ? now + Duration.toMillis(policy.flushEvery) : now
