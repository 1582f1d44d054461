import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * Whether an object knows what it held before its disk was made, and its tries to find out. Until it does, nothing that
 * it lacks is absent, and what it has is no snapshot.
 */
export interface ShardRecovery {
  readonly isKnown: () => boolean
  /** Whether there is nothing left to bring back: known, and what was kept outside is adopted. */
  readonly isSettled: () => boolean
  /** One try, shared by all who ask while it runs; it goes on when they give up. */
  readonly attempt: Effect.Effect<void, unknown>
  /** Another way to bring it back, on command; when it succeeds, nothing else is tried any more. */
  readonly by: <A>(way: Recover<A>) => Effect.Effect<A, unknown>
  /**
   * For a caller who needs to know: waits for the try that runs, or else for the next one, which may start half a second
   * after the last. A second at most, so that it is over before the caller's own deadline. Fails never.
   */
  readonly prompt: Effect.Effect<void>
}

/** Brings back what there is, calling `onKnown` as soon as all that was saved is there. */
export type Recover<A> = (onKnown: () => void) => Effect.Effect<A, unknown>

/** Between the starts of two tries that callers cause. */
const apartMillis = 500

/** How long a caller waits. */
const promptMillis = 1000

/** An object that has nothing to recover from, or knows already. */
export const known: ShardRecovery = {
  isKnown: () => true,
  isSettled: () => true,
  attempt: Effect.void,
  by: (way) => way(() => {}),
  prompt: Effect.void
}

/** @param settled whether that was done before, on this disk */
export const make = (recover: Recover<void>, settled: () => boolean): ShardRecovery => {
  let isSettled = settled()
  let isKnown = isSettled
  let running: Fiber.RuntimeFiber<void, unknown> | undefined
  let lastTry = Number.NEGATIVE_INFINITY

  const by = <A>(way: Recover<A>): Effect.Effect<A, unknown> =>
    Effect.suspend(() =>
      way(() => {
        isKnown = true
      })
    ).pipe(
      Effect.tap(() => {
        isKnown = true
        isSettled = true
      })
    )

  const start = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (running !== undefined) return Effect.succeed(running)
    lastTry = now
    return Effect.map(Effect.forkDaemon(by(recover)), (fiber) => {
      running = fiber
      fiber.addObserver(() => {
        if (running === fiber) running = undefined
      })
      return fiber
    })
  })

  const untilDue = Effect.map(Clock.currentTimeMillis, (now) =>
    running === undefined ? Math.max(0, lastTry + apartMillis - now) : 0
  )

  /** Unless another try has come to its end in the meantime. */
  const tryIfDue = Effect.flatMap(untilDue, (millis) => (millis > 0 ? Effect.void : Effect.flatMap(start, Fiber.await)))

  return {
    isKnown: () => isKnown,
    isSettled: () => isSettled,
    by,
    attempt: Effect.suspend(() =>
      isSettled ? Effect.void : Effect.flatMap(start, (fiber) => Effect.asVoid(Fiber.join(fiber)))
    ),
    prompt: Effect.suspend(() => {
      if (isKnown) return Effect.void
      return Effect.flatMap(untilDue, (millis) => Effect.delay(tryIfDue, millis)).pipe(
        Effect.timeout(promptMillis),
        Effect.ignore
      )
    })
  }
}
