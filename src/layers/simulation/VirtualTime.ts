import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as LogLevel from "effect/LogLevel"
import * as Random from "effect/Random"
import * as Runtime from "effect/Runtime"
import * as Scheduler from "effect/Scheduler"
import { Leap } from "../../services/base/Leap.ts"
import * as EventQueue from "./internal/EventQueue.ts"

export interface VirtualTime {
  /**
   * Runs the effect to its end without waiting for anything: whatever is ready runs first, in the order in which it
   * became so; when nothing is, time jumps to the next timer. Dies when there is none. What the effect left running
   * stays where it is, and goes on with the next run.
   */
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Exit.Exit<A, E>
  /** Milliseconds since the epoch, fractions included; Effect's Clock shows whole ones, as Workers do. */
  readonly now: () => number
}

/**
 * Time as a discrete-event simulation. Two runs of one effect from one `start` (milliseconds since the epoch) and
 * one seed take every step alike, so long as the effect awaits no native promise. Nothing is logged. A timer is not
 * taken back when its sleeper is interrupted: its moment then passes without effect, which costs less.
 */
export const make = (start: number, seed: number): VirtualTime => {
  const timers = EventQueue.make()
  const ready: Array<() => void> = []
  let next = 0
  let now = start

  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => Math.floor(now),
    unsafeCurrentTimeNanos: () => BigInt(Math.round(now * 1000)) * 1000n,
    currentTimeMillis: Effect.sync(() => Math.floor(now)),
    currentTimeNanos: Effect.sync(() => clock.unsafeCurrentTimeNanos()),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const millis = Duration.toMillis(duration)
        if (millis < Number.POSITIVE_INFINITY) timers.add(now + millis, () => resume(Effect.void))
      })
  }

  const scheduler = Scheduler.make(
    (task) => void ready.push(task),
    () => false
  )

  const leap = (to: number): boolean => {
    if (next < ready.length || timers.nextAt() <= to) return false
    now = Math.max(now, to)
    return true
  }

  const runtime = Effect.runSync(
    Effect.runtime<never>().pipe(
      Effect.provideService(Leap, leap),
      Effect.withClock(clock),
      Effect.withRandom(Random.make(seed)),
      Effect.withTracerEnabled(false),
      Effect.locally(FiberRef.currentMinimumLogLevel, LogLevel.None),
      Effect.withScheduler(scheduler)
    )
  )

  const step = (): boolean => {
    if (next < ready.length) {
      ready[next++]!()
      if (next === ready.length) {
        ready.length = 0
        next = 0
      }
      return true
    }
    const timer = timers.next()
    if (timer === undefined) return false
    now = Math.max(now, timer.at)
    timer.happen()
    return true
  }

  return {
    run: (effect) => {
      const fiber = Runtime.runFork(runtime)(effect)
      for (;;) {
        const exit = fiber.unsafePoll()
        if (exit !== null) return exit
        if (!step()) return Exit.die(new Error("Nothing is left to wait for, and the effect has not ended."))
      }
    },
    now: () => now
  }
}

/** A promise kept already that calls back at once: a native one calls back when the run that waits for it is over. */
export const kept = <A>(value: A): Promise<A> => {
  const promise = Promise.resolve(value)
  // biome-ignore lint/suspicious/noThenProperty: what it is made for
  promise.then = ((onKept?: (value: A) => unknown) => (onKept ? kept(onKept(value)) : promise)) as typeof promise.then
  return promise
}
