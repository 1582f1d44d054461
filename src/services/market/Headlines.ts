import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

export interface Headline {
  readonly title: string
  /** Milliseconds since the epoch. */
  readonly publishedAt: number
}

export class HeadlinesError extends Data.TaggedError("HeadlinesError")<{
  readonly operation: "latest"
  readonly reason: "Unavailable" | "Malformed"
  readonly cause?: unknown
}> {}

/** What the press writes about symbols. */
export class Headlines extends Context.Tag("larder/Headlines")<
  Headlines,
  {
    /** The newest headlines of each symbol (in upper case), newest first; a symbol without any has an empty list. */
    readonly latest: (
      symbols: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, ReadonlyArray<Headline>>, HeadlinesError>
  }
>() {}
