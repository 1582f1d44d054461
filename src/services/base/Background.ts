import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * The only way past the response. A reference, not a requirement: each request provides its own
 * (`BackgroundWorker`, over `waitUntil`); where nobody did, the work runs in the foreground, so that none is lost.
 */
export class Background extends Context.Reference<Background>()("larder/Background", {
  defaultValue: (): BackgroundService => ({
    run: (effect) => Effect.asVoid(Effect.exit(effect)),
    promise: () => undefined
  })
}) {}

export interface BackgroundService {
  /** Starts the work and goes on; its failure is logged, never seen by the caller. */
  readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<void, never, R>
  /** Keeps the event alive until a promise that already runs has settled. */
  readonly promise: (promise: Promise<unknown>) => void
}
