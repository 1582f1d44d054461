import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

export class EdgeResponsesError extends Data.TaggedError("EdgeResponsesError")<{
  readonly operation: "match" | "put"
  readonly reason: "Unavailable" | "Incomplete"
  readonly cause?: unknown
}> {}

export type Bytes = Uint8Array | ReadableStream<Uint8Array>

/** Named bodies of any size at one location. What is put may be gone at any time; what comes back is complete. */
export class EdgeResponses extends Context.Tag("larder/EdgeResponses")<
  EdgeResponses,
  {
    readonly match: (id: string) => Effect.Effect<Option.Option<ReadableStream<Uint8Array>>, EdgeResponsesError>
    /**
     * Keeps the bytes until `until` (milliseconds since the epoch). A stream that fails, or that does not end after
     * `size` bytes where a size is given, is not kept: `Incomplete`.
     */
    readonly put: (
      id: string,
      bytes: Bytes,
      options: { readonly until: number; readonly size?: number }
    ) => Effect.Effect<void, EdgeResponsesError>
    /** False for a layer that holds nothing. */
    readonly enabled: boolean
  }
>() {}
