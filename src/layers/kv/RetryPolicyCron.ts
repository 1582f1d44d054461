import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { RetryPolicy } from "../../services/kv/RetryPolicy.ts"

/**
 * Patient: nobody waits. After 1, 2, 4, 8 and then 10 seconds each, a fifth longer at random so that KV's one write a
 * second per key is never asked too early; no new try once 50 seconds have passed, so within a minute or so in all.
 */
export const make: Context.Tag.Service<RetryPolicy> = {
  schedule: Schedule.exponential("1 second").pipe(
    Schedule.union(Schedule.spaced("10 seconds")),
    Schedule.jitteredWith({ min: 1, max: 1.2 }),
    Schedule.upTo("50 seconds")
  )
}

export const layer: Layer.Layer<RetryPolicy> = Layer.succeed(RetryPolicy, make)
