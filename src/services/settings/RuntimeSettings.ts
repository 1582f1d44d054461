import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Change, RuntimeState } from "./model/RuntimeState.ts"

export class RuntimeSettingsError extends Data.TaggedError("RuntimeSettingsError")<{
  readonly operation: "read" | "change"
  readonly reason: "Unavailable"
  readonly cause?: unknown
}> {}

/** Settings that are changed without a deployment. Who changes them has validated them. */
export class RuntimeSettings extends Context.Tag("larder/RuntimeSettings")<
  RuntimeSettings,
  {
    readonly read: Effect.Effect<RuntimeState, RuntimeSettingsError>
    /** The state after the change. This isolate goes by it from its next request on. */
    readonly change: (change: Change) => Effect.Effect<RuntimeState, RuntimeSettingsError>
    /** The longest that any isolate goes by what was in force before, from its next call to a shard or to KV on. */
    readonly boundSeconds: number
  }
>() {}
