import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

export class ModeHeartbeatError extends Data.TaggedError("ModeHeartbeatError")<{
  readonly operation: "goOn" | "confirm" | "stop"
  readonly reason: "Unavailable"
  readonly cause?: unknown
}> {}

/**
 * What the crons of the durable mode leave behind where they all see it, so that none of them reads the recorded mode in
 * vain: as long as they follow each other without a gap, no cron of the other mode can have changed it.
 */
export class ModeHeartbeat extends Context.Tag("larder/ModeHeartbeat")<
  ModeHeartbeat,
  {
    /** Whether the beat goes on, by {@link goesOn}; if so this is one. */
    readonly goOn: Effect.Effect<boolean, ModeHeartbeatError>
    /** This cron has read the recorded mode and found that nothing is due. */
    readonly confirm: Effect.Effect<void, ModeHeartbeatError>
    /** The recorded mode is about to change: crons read it again. */
    readonly stop: Effect.Effect<void, ModeHeartbeatError>
  }
>() {}

export interface Beat {
  /** Milliseconds since the epoch of the last one. */
  readonly at: number
  /** How often in a row the recorded mode was read before. */
  readonly reads: number
}

/** The cron fires every 5 minutes: a longer gap has room for one of the other mode. */
export const longestGap = Duration.seconds(450)

/** Two reads a cron apart: what KV showed the first one may have been a minute old. */
const readsNeeded = 2

const follows = (beat: Beat, now: number): boolean => Math.abs(now - beat.at) <= Duration.toMillis(longestGap)

export const goesOn = (beat: Beat | undefined, now: number): beat is Beat =>
  beat !== undefined && beat.reads >= readsNeeded && follows(beat, now)

/** The beat of a cron that has read the recorded mode. */
export const afterRead = (beat: Beat | undefined, now: number): Beat => ({
  at: now,
  reads: beat !== undefined && follows(beat, now) ? beat.reads + 1 : 1
})
