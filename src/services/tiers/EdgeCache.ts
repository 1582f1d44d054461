import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Observation } from "../store/model/Entry.ts"

export class EdgeCacheError extends Data.TaggedError("EdgeCacheError")<{
  readonly operation: "match" | "put" | "delete"
  readonly reason: "Unavailable" | "Refused"
  readonly cause?: unknown
}> {}

/** The Cache API of one location. Its entries can be purged nowhere else, so they live briefly. */
export class EdgeCache extends Context.Tag("larder/EdgeCache")<
  EdgeCache,
  {
    /** What this location holds for the id, negative answers included. */
    readonly match: (id: string) => Effect.Effect<Option.Option<Observation>, EdgeCacheError>
    /** Keeps an observation until `until` (milliseconds since the epoch); less than a second ahead is dropped. */
    readonly put: (id: string, observation: Observation, until: number) => Effect.Effect<void, EdgeCacheError>
    readonly delete: (id: string) => Effect.Effect<void, EdgeCacheError>
    /** False for a layer that holds nothing, so that callers need not ask. */
    readonly enabled: boolean
  }
>() {}
