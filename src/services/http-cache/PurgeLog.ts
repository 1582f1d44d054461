import * as Data from "effect/Data"
import type { PurgeMark } from "./model/Purge.ts"

/** The log did not take a mark: it counts in this isolate alone. */
export class PurgeLogError extends Data.TaggedError("PurgeLogError")<{
  readonly operation: "write"
  readonly reason: "Unavailable"
  readonly cause: unknown
}> {}

/**
 * Where purges are kept that count everywhere: a reader learns of every purge that was acknowledged before. Two
 * plain functions, so that they can be written over any other store.
 */
export interface PurgeLog {
  /**
   * The marks set after `since` (milliseconds since the epoch), by any clock that is at most a minute wrong; older ones
   * may be among them.
   */
  readonly read: (since: number) => Promise<ReadonlyArray<PurgeMark>>
  /** Rejects unless the mark is kept, for {@link retainedMillis} at least. */
  readonly write: (mark: PurgeMark) => Promise<void>
}

/** With a log, no response is reused that is older than this: marks need not be kept for ever. */
export const retainedMillis = 30 * 86_400_000
