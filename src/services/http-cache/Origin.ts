import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

export class OriginError extends Data.TaggedError("OriginError")<{
  readonly operation: "fetch"
  readonly reason: "Unreachable"
  readonly cause?: unknown
}> {}

/** What a cache asks when it has no answer: a Worker's own handler, or a server behind it. */
export class Origin extends Context.Tag("larder/Origin")<
  Origin,
  {
    /** Fails when there is no response, not when the response is an error. */
    readonly fetch: (request: Request) => Effect.Effect<Response, OriginError>
  }
>() {}
