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
  /** What the event has used of the operations that the platform allows one; absent where nothing is limited. */
  readonly spent?: Spent
}

/** Operations of one event, by what is limited. */
export interface Spent {
  kv: number
  edge: number
}

/** Takes one operation out of the event's allowance; false when it is used up. */
export const spend = ({ spent }: BackgroundService, what: keyof Spent, allowed: number): boolean => {
  if (spent === undefined) return true
  if (spent[what] >= allowed) return false
  spent[what] += 1
  return true
}
