import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Shard } from "../../services/Shard.ts"
import type { ShardOperations, ShardSurroundings } from "./shardHost.ts"

export interface AlarmStorage {
  readonly getAlarm: () => Promise<number | null>
  readonly setAlarm: (at: number) => Promise<void>
}

export interface AlarmOptions {
  /** Milliseconds between two alarms while all goes well. */
  readonly everyMillis: number
  /** Rows that one alarm sweeps at most. */
  readonly sweepRows: number
}

/** The platform delays an alarm by a minute at most; one that is later than this is not coming. */
const lostMillis = 120_000
const retryMillis = 60_000
const soonMillis = 1000

/** An object holds its first callers back for as long at most while it awakens. */
const awakenMillis = 10_000

/**
 * The one alarm of a shard's object, for sweep and flush. Set when there is something to do and none is set: one billed
 * row a cycle. Nothing that goes wrong while it rings keeps it from being set again.
 */
export const make = (
  storage: AlarmStorage,
  shard: Shard["Type"],
  operations: ShardOperations,
  { everyMillis, sweepRows }: AlarmOptions
) => {
  let armed = false
  let failures = 0
  let requests = 0
  let rowsWritten = 0

  const set = (at: number): Promise<void> => {
    armed = true
    rowsWritten += 1
    return storage.setAlarm(at)
  }

  const sweep = Effect.map(Clock.currentTimeMillis, (now) => shard.sweep(sweepRows, now))

  const { adopt, awaken = Effect.void } = operations

  const flush = Effect.suspend(() => (shard.dirty() ? operations.flush : Effect.succeed(false)))

  const isIdle = (): boolean => {
    if (shard.dirty()) return false
    const { entries, tombstones } = shard.stats()
    return entries + tombstones === 0
  }

  const surroundings: Pick<ShardSurroundings, "changed" | "alarms"> = {
    changed: (now) => {
      if (armed || !shard.dirty()) return
      // Not awaited, so that it commits with the change; when it fails, the platform resets the object.
      set(now + everyMillis).catch(() => {
        armed = false
      })
    },
    alarms: () => ({ requests, rowsWritten })
  }

  return {
    ...surroundings,
    /** For the constructor: finds out whether an alarm is set, and sets one if the shard is dirty without. */
    begin: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const at = yield* Effect.promise(() => storage.getAlarm())
      armed = at !== null && at > now - lostMillis
      const awake = yield* logged("awaken", Effect.timeout(Effect.as(awaken, true), awakenMillis))
      const away = awake === undefined ? soonMillis : shard.dirty() ? everyMillis : adopt?.everyMillis
      if (!armed && away !== undefined) yield* Effect.promise(() => set(now + away))
    }),
    /** Sweeps, then adopts and flushes once the sweep is through. Fails only if the next alarm cannot be set. */
    ring: Effect.gen(function* () {
      requests += 1
      const swept = yield* logged("sweep", sweep)
      const more = swept === sweepRows
      const awake = (yield* logged("awaken", Effect.as(awaken, true))) !== undefined
      const adopted = more || (yield* logged("adopt", Effect.as(adopt?.run ?? Effect.void, true))) !== undefined
      const flushed = more || (yield* logged("flush", flush)) !== undefined
      failures = swept !== undefined && awake && adopted && flushed ? 0 : failures + 1
      const idle = failures === 0 && !more && (yield* logged("look", Effect.sync(isIdle))) === true
      const now = yield* Clock.currentTimeMillis
      if (idle && adopt === undefined) armed = false
      else if (idle) yield* Effect.promise(() => set(now + adopt!.everyMillis))
      else yield* Effect.promise(() => set(now + (more ? soonMillis : pause(failures, everyMillis))))
    })
  }
}

// internal

const pause = (failures: number, everyMillis: number): number =>
  failures === 0 ? everyMillis : Math.min(everyMillis, retryMillis * 2 ** (failures - 1))

const logged = <A>(step: string, effect: Effect.Effect<A, unknown>): Effect.Effect<A | undefined> =>
  Effect.catchAllCause(effect, (cause) =>
    Effect.as(Effect.logWarning(`the shard's alarm failed to ${step}`, cause), undefined)
  )
