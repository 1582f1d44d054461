import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import { Background, type BackgroundService } from "../../services/base/Background.ts"
import { logged } from "./internal/logged.ts"

/** Work past the response of one event, which its `waitUntil` keeps alive. One per event, never one per isolate. */
export const make = (context: Pick<ExecutionContext, "waitUntil">): BackgroundService => ({
  run: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.map(Effect.runtime<R>(), (runtime) => {
      context.waitUntil(Runtime.runPromise(runtime)(logged(effect)))
    }),
  promise: (promise) => context.waitUntil(Promise.allSettled([promise])),
  spent: { kv: 0, edge: 0 }
})

export const layer = (context: Pick<ExecutionContext, "waitUntil">): Layer.Layer<Background> =>
  Layer.succeed(Background, make(context))
