import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Shard } from "../../../services/durable/Shard.ts"
import type { ShardOperations, ShardSurroundings } from "./shardHost.ts"

export interface AlarmStorage {
  readonly getAlarm: () => Promise<number | null>
  readonly setAlarm: (at: number) => Promise<void>
}

export interface AlarmOptions {
  /** Milliseconds between two snapshots of all objects together; each one's alarm rings that many times more rarely. */
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

/** How long an object that gives its keys away waits for whoever told it so, before it goes on by itself. */
const leavingMillis = 10_000

/** A step calls each of 64 new objects at most three times. */
const leavingSteps = 5

/** One step of an alarm may take so long: all of them together stay below the 15 minutes that the platform gives. */
const stepMillis = 5 * 60_000

/**
 * The one alarm of a shard's object, for sweep and flush. Set when there is something to do and none is set: one billed
 * row a cycle. Nothing that goes wrong while it rings keeps it from being set again.
 */
export const make = (
  storage: AlarmStorage,
  shard: Shard["Type"],
  operations: ShardOperations,
  options: AlarmOptions
) => {
  const { sweepRows } = options
  const { shards = () => 1 } = operations
  /** Milliseconds between two alarms while all goes well. */
  const every = (): number => options.everyMillis * shards()

  /** Milliseconds since the epoch; undefined for no alarm. While one rings, its own time. */
  let armedFor: number | undefined
  let failures = 0
  let requests = 0
  let rowsWritten = 0

  const set = (at: number): Promise<void> => {
    armedFor = at
    rowsWritten += 1
    return storage.setAlarm(at)
  }

  const sweep = Effect.map(Clock.currentTimeMillis, (now) => shard.sweep(sweepRows, now))

  const { adopt, awaken = Effect.void, goOn = Effect.succeed(false) } = operations

  /** Several pages at once, far below what one invocation may call. */
  const leave = Effect.iterate(
    { more: true, steps: 0 },
    {
      while: ({ more, steps }) => more && steps < leavingSteps,
      body: ({ steps }) => Effect.map(goOn, (more) => ({ more, steps: steps + 1 }))
    }
  ).pipe(Effect.map(({ more }) => more))

  const { notBefore = () => Effect.succeed(0) } = operations

  /** Flushes, unless it is to wait; milliseconds since the epoch until which it is, 0 if it is not. */
  const flushOrWait = (now: number): Effect.Effect<number, unknown> =>
    Effect.suspend(() => {
      if (!shard.dirty()) return Effect.succeed(0)
      return Effect.flatMap(notBefore(every()), (at) =>
        now < at ? Effect.succeed(at) : Effect.as(operations.flush, 0)
      )
    })

  /** The first shard looks for outside writes at least as often, however rarely many shards save themselves. */
  const pace = (): number => Math.min(every(), adopt?.everyMillis ?? Number.POSITIVE_INFINITY)

  const isIdle = (): boolean => {
    if (shard.dirty()) return false
    const { entries, tombstones } = shard.stats()
    return entries + tombstones === 0
  }

  const surroundings: Pick<ShardSurroundings, "changed" | "alarms"> = {
    changed: (now) => {
      const away = isLeaving(shard) ? leavingMillis : shard.dirty() ? every() : undefined
      if (away === undefined || (armedFor !== undefined && armedFor <= now + away)) return
      // Not awaited, so that it commits with the change; when it fails, the platform resets the object.
      set(now + away).catch(() => {
        armedFor = undefined
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
      armedFor = at !== null && at > now - lostMillis ? at : undefined
      const awake = yield* logged("awaken", Effect.timeout(Effect.as(awaken, true), awakenMillis))
      const away = awake === undefined || isLeaving(shard) ? soonMillis : shard.dirty() ? every() : adopt?.everyMillis
      if (armedFor === undefined && away !== undefined) yield* Effect.promise(() => set(now + away))
    }),
    /** Sweeps, then adopts and flushes once the sweep is through. Fails only if the next alarm cannot be set. */
    ring: Effect.gen(function* () {
      requests += 1
      const swept = yield* logged("sweep", sweep)
      const awake = yield* done("awaken", awaken)
      const left = yield* logged("give keys away", Effect.timeout(leave, stepMillis))
      const more = swept === sweepRows || left === true
      const adopted = more || (yield* done("adopt", adopt?.run ?? Effect.void))
      const rang = yield* Clock.currentTimeMillis
      const waits = more ? 0 : yield* logged("flush", flushOrWait(rang))
      const flushed = waits !== undefined
      failures = swept !== undefined && awake && left !== undefined && adopted && flushed ? 0 : failures + 1
      const idle = failures === 0 && !more && (yield* logged("look", Effect.sync(isIdle))) === true
      const now = yield* Clock.currentTimeMillis
      if (idle && adopt === undefined) armedFor = undefined
      else if (idle) yield* Effect.promise(() => set(now + adopt!.everyMillis))
      else if (failures === 0 && !more && waits !== undefined && waits > now) {
        yield* Effect.promise(() => set(Math.min(waits, now + (adopt?.everyMillis ?? Number.POSITIVE_INFINITY))))
      } else yield* Effect.promise(() => set(now + (more ? soonMillis : pause(failures, pace()))))
    })
  }
}

// internal

const isLeaving = (shard: Shard["Type"]): boolean => {
  const seal = shard.seal()
  return seal?.phase === "moving" || (seal?.phase === "retired" && !seal.complete)
}

const pause = (failures: number, pace: number): number =>
  failures === 0 ? pace : Math.min(pace, retryMillis * 2 ** (failures - 1))

const logged = <A>(step: string, effect: Effect.Effect<A, unknown>): Effect.Effect<A | undefined> =>
  Effect.catchAllCause(effect, (cause) =>
    Effect.as(Effect.logWarning(`the shard's alarm failed to ${step}`, cause), undefined)
  )

const done = (step: string, effect: Effect.Effect<unknown, unknown>): Effect.Effect<boolean> =>
  Effect.map(logged(step, Effect.timeout(Effect.as(effect, true), stepMillis)), (ended) => ended === true)
