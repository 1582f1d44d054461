import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

export interface RateVerdict {
  readonly allowed: boolean
  /** Requests that the window allows a caller. */
  readonly limit: number
  /** Of these, how many are left, as far as this isolate knows. */
  readonly remaining: number
  /** Milliseconds since the epoch when the window ends. */
  readonly resetAt: number
  readonly windowMillis: number
}

export interface RateLimiterService {
  /** Counts one request of a caller. It never fails: where nobody can tell, this isolate counts for itself. */
  readonly ask: (caller: string) => Effect.Effect<RateVerdict>
}

/** How often one caller may ask. A reference: nothing is limited unless it is said. */
export class RateLimiter extends Context.Reference<RateLimiter>()("larder/RateLimiter", {
  defaultValue: (): RateLimiterService | undefined => undefined
}) {}
