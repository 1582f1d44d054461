import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

/** Which store of record the flag puts in force: Workers KV itself, or the Durable Objects. */
export type Mode = "kv" | "durable"

/** What is known of the switches between the modes until now. */
export interface ModeRecord {
  /** The mode whose store was last made complete. */
  readonly mode: Mode
  /** The mode a pass is under way to; the same as `mode` in the pass that is made once more. */
  readonly to?: Mode
  /** Where that pass goes on. */
  readonly cursor?: string
  /** Something in that pass could not be read or written as it should. */
  readonly unsettled?: true
  /**
   * The objects themselves have handed entries over. Until a pass to them, which begins with a new one, their snapshot
   * may be older than that, and not know of it: what was deleted since must not come back from it.
   */
  readonly objects?: true
  /** Milliseconds since the epoch when one more pass is due. */
  readonly again?: number
}

export class RecordedModeError extends Data.TaggedError("RecordedModeError")<{
  readonly operation: "read" | "write"
  readonly reason: "Unavailable" | "Damaged"
  readonly cause?: unknown
}> {}

/** The mode as it is remembered outside of every isolate, in a place that answers in both modes. */
export class RecordedMode extends Context.Tag("larder/RecordedMode")<
  RecordedMode,
  {
    /** Undefined before the first write. */
    readonly read: Effect.Effect<ModeRecord | undefined, RecordedModeError>
    readonly write: (record: ModeRecord) => Effect.Effect<void, RecordedModeError>
  }
>() {}

/** How long after a switch isolates may still run the old flag: a deployment takes minutes at most to reach all. */
export const gracePeriod = Duration.minutes(10)

/** Whether a pass is due while `inForce` is the flag. Without a record there is nothing that it could differ from. */
export const isDue = (record: ModeRecord, inForce: Mode, now: number): boolean =>
  record.mode !== inForce || record.to !== undefined || (record.again !== undefined && now >= record.again)

/** Whether nothing is due, nor will be until the flag is changed. */
export const rests = ({ again, mode, to }: ModeRecord, inForce: Mode): boolean =>
  mode === inForce && to === undefined && again === undefined

/** The record of a pass that begins or goes on. One under way to the other mode is turned round. */
export const begun = (record: ModeRecord | undefined, inForce: Mode): ModeRecord => {
  if (record?.to === inForce) return record
  const mode = record?.to ?? record?.mode ?? otherThan(inForce)
  return { mode, to: inForce, ...(record?.objects ? { objects: true } : {}) }
}

/** The record after an invocation has done its part of a pass. */
export const advanced = (
  { mode, objects, to = mode, unsettled }: ModeRecord,
  part: { readonly cursor: string | undefined; readonly settled: boolean; readonly from: Mode | "snapshot" },
  now: number
): ModeRecord => {
  const source = objects || part.from === "durable" ? { objects: true as const } : {}
  const flawed = unsettled === true || !part.settled
  if (part.cursor !== undefined) {
    return { mode, to, cursor: part.cursor, ...(flawed ? { unsettled: true } : {}), ...source }
  }
  const left = to === "durable" && !flawed ? {} : source
  return mode !== to || flawed
    ? { mode: to, again: now + Duration.toMillis(gracePeriod), ...left }
    : { mode: to, ...left }
}

export const otherThan = (mode: Mode): Mode => (mode === "kv" ? "durable" : "kv")
