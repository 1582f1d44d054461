import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { RetryPolicy } from "../../services/kv/RetryPolicy.ts"

/** Fail fast: somebody waits. Twice more, after about 50 and 100 ms, unless a second has passed since the first failure. */
export const make: Context.Tag.Service<RetryPolicy> = {
  schedule: Schedule.exponential("50 millis").pipe(
    Schedule.jittered,
    Schedule.intersect(Schedule.recurs(2)),
    Schedule.upTo("1 second")
  )
}

export const layer: Layer.Layer<RetryPolicy> = Layer.succeed(RetryPolicy, make)
