import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Shard } from "../../../services/durable/Shard.ts"
import type { ShardOperations, ShardSurroundings } from "./shardHost.ts"
import * as ShardRecovery from "./shardRecovery.ts"

export interface AlarmStorage {
  readonly getAlarm: () => Promise<number | null>
  readonly setAlarm: (at: number) => Promise<void>
}

export interface AlarmOptions {
  /** Milliseconds between two snapshots of all objects together; each one's alarm fires that many times more rarely. */
  readonly everyMillis: number
  /** Rows that one alarm sweeps at most. */
  readonly sweepRows: number
}

/** One thing that an alarm does: milliseconds since the epoch at which it is to be done again, {@link never} for never. */
type Step = readonly [name: string, run: Effect.Effect<number, unknown>]

const never = Number.POSITIVE_INFINITY

/** The platform delays an alarm by a minute at most; one that is later than this is not coming. */
const lostMillis = 120_000
const retryMillis = 60_000
const soonMillis = 1000

/** How long an object holds its first callers back for what it recovers; then it says that it is recovering. */
const holdMillis = 2000

/** Tries to recover that nobody asks for: after a second, and then twice as long each time, up to this. */
const recoverMillis = 60_000

/** How long an object that gives its keys away waits for the isolate that told it so, before it goes on by itself. */
const handoffMillis = 10_000

/** A step calls each of 64 new objects at most three times. */
const handoffSteps = 5

/** One step of an alarm may take so long, and all of them together; the platform gives 15 minutes. */
const stepMillis = 5 * 60_000
const alarmMillis = 10 * 60_000

/**
 * The one alarm of a shard's object. Set when there is something to do and none is set: one billed row a cycle. Each
 * step fails by itself, and nothing that goes wrong keeps the alarm from being set again. The snapshot comes before all
 * that may take long; what there is no time left for is done by the next alarm, at once.
 */
export const make = (
  storage: AlarmStorage,
  shard: Shard["Type"],
  operations: ShardOperations,
  options: AlarmOptions
) => {
  const { sweepRows } = options
  const { adopt, flush, goOn = Effect.succeed(false), recovery = ShardRecovery.known } = operations
  const { notBefore = () => Effect.succeed(0), shards = () => 1 } = operations
  /** Milliseconds between two alarms while all goes well. */
  const every = (): number => options.everyMillis * shards()

  /** Milliseconds since the epoch; undefined for no alarm. While one fires, its own time. */
  let armedFor: number | undefined
  let failures = 0
  let recoveries = 0
  let requests = 0
  let rowsWritten = 0
  let millis = 0

  const set = (at: number): Promise<void> => {
    armedFor = at
    rowsWritten += 1
    return storage.setAlarm(at)
  }

  const nextAt = (at: (now: number) => number): Effect.Effect<number> => Effect.map(Clock.currentTimeMillis, at)

  /** When to try again by itself, after tries that failed. */
  const recoverAgain = (now: number): number => now + Math.min(recoverMillis, soonMillis * 2 ** recoveries++)

  const recover = Effect.suspend(() =>
    recovery.isSettled()
      ? Effect.succeed(never)
      : Effect.matchCauseEffect(Effect.timeout(recovery.attempt, stepMillis), {
          onFailure: (cause) =>
            Effect.zipRight(
              Effect.logWarning("what the object held could not be recovered", cause),
              nextAt(recoverAgain)
            ),
          onSuccess: () => Effect.succeed(never)
        })
  )

  /** Several pages at once, far below what one invocation may call. */
  const handOver = Effect.iterate(
    { more: true, steps: 0 },
    {
      while: ({ more, steps }) => more && steps < handoffSteps,
      body: ({ steps }) => Effect.map(goOn, (more) => ({ more, steps: steps + 1 }))
    }
  ).pipe(Effect.flatMap(({ more }) => (more ? nextAt((now) => now + soonMillis) : Effect.succeed(never))))

  const save = Effect.gen(function* () {
    if (shard.dirty()) {
      const now = yield* Clock.currentTimeMillis
      const at = yield* notBefore(every())
      if (now < at) return at
      yield* flush
    }
    return shard.dirty() ? yield* nextAt((now) => now + every()) : never
  })

  /** Goes on soon where it has not come to its end; what is due later waits for the pace of the snapshots. */
  const sweep = nextAt((now) => {
    const { next } = shard.sweep(sweepRows, now)
    return next <= now ? now + soonMillis : Math.max(next, now + every())
  })

  const adoptParked = Effect.suspend(() =>
    adopt === undefined
      ? Effect.succeed(never)
      : Effect.zipRight(
          adopt.run,
          nextAt((now) => now + adopt.everyMillis)
        )
  )

  /** Of those that there is still time for; one that fails is done again soon, later each time that any does. */
  const take = (
    steps: ReadonlyArray<Step>,
    until: number
  ): Effect.Effect<{ readonly at: number; readonly failed: boolean }> =>
    Effect.reduce(steps, { at: never, failed: false as boolean }, (before, [name, run]) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (now >= until) return Effect.succeed({ ...before, at: Math.min(before.at, now + soonMillis) })
        return Effect.matchCauseEffect(Effect.timeout(run, Duration.millis(Math.min(stepMillis, until - now))), {
          onFailure: (cause) =>
            Effect.as(Effect.logWarning(`the shard's alarm failed to ${name}`, cause), { ...before, failed: true }),
          onSuccess: (at) => Effect.succeed({ ...before, at: Math.min(before.at, at) })
        })
      })
    )

  /** What an object does that does not know yet what it held: nothing else. */
  const steps = (): ReadonlyArray<Step> =>
    recovery.isKnown()
      ? [
          ["flush", save],
          ["sweep", sweep],
          ["hand keys over", handOver],
          ["adopt", adoptParked]
        ]
      : []

  const surroundings: Pick<ShardSurroundings, "changed" | "alarms"> = {
    changed: (now) => {
      const away = isHandingOver(shard) ? handoffMillis : shard.dirty() ? every() : undefined
      if (away === undefined || (armedFor !== undefined && armedFor <= now + away)) return
      // Not awaited, so that it commits with the change; when it fails, the platform resets the object.
      set(now + away).catch(() => {
        armedFor = undefined
      })
    },
    alarms: () => ({ requests, rowsWritten, millis })
  }

  return {
    ...surroundings,
    /** For the constructor: finds out whether an alarm is set, and sets one if there is something to do without. */
    begin: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const at = yield* Effect.promise(() => storage.getAlarm())
      armedFor = at !== null && at > now - lostMillis ? at : undefined
      yield* Effect.ignoreLogged(Effect.timeout(recovery.attempt, holdMillis))
      const isSoon = !recovery.isSettled() || isHandingOver(shard)
      const away = isSoon ? soonMillis : shard.dirty() ? every() : adopt?.everyMillis
      if (away === undefined || (armedFor !== undefined && (!isSoon || armedFor <= now + away))) return
      yield* Effect.promise(() => set(now + away))
    }),
    /** Fails only if the next alarm cannot be set. */
    fire: Effect.gen(function* () {
      requests += 1
      const began = yield* Clock.currentTimeMillis
      const until = began + alarmMillis
      const recovering = yield* recover
      const { at, failed } = yield* take(steps(), until)
      failures = failed ? failures + 1 : 0
      const now = yield* Clock.currentTimeMillis
      millis += now - began
      const again = failed ? now + Math.min(every(), retryMillis * 2 ** (failures - 1)) : never
      const next = Math.min(recovering, again, at)
      if (next === never) armedFor = undefined
      else yield* Effect.promise(() => set(Math.max(next, now)))
    })
  }
}

// internal

const isHandingOver = (shard: Shard["Type"]): boolean => {
  const seal = shard.seal()
  return seal?.phase === "moving" || (seal?.phase === "retired" && !seal.complete)
}
