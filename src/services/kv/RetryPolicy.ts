import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type { KvError } from "./Kv.ts"

/** How failed operations are tried again: one layer for requests (fail fast), one for crons (patient). */
export class RetryPolicy extends Context.Tag("larder/RetryPolicy")<
  RetryPolicy,
  {
    /** For operations that are safe to repeat, when their failure is transient ({@link isTransient}). */
    readonly schedule: Schedule.Schedule<unknown, unknown>
  }
>() {}

/** Whether trying again may help: not after a daily or invocation limit, nor after a refused argument. */
export const isTransient = (error: KvError): boolean => error.reason === "RateLimited" || error.reason === "Unavailable"

/** Retries an effect's transient KV failures under a policy. */
export const retrying =
  (policy: Context.Tag.Service<RetryPolicy>) =>
  <A, R>(effect: Effect.Effect<A, KvError, R>): Effect.Effect<A, KvError, R> =>
    Effect.retry(effect, { schedule: policy.schedule, while: isTransient })
