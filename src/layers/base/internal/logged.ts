import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/** Work that nobody waits for: a failure is a warning, a defect an error, an interruption nothing. */
export const logged = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.matchCauseEffect(effect, {
    onSuccess: () => Effect.void,
    onFailure: (cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.void
        : Cause.isDie(cause)
          ? Effect.logError("background work failed", cause)
          : Effect.logWarning("background work failed", cause)
  })
