import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Window } from "./model/FixedWindow.ts"

/**
 * Windows and counters of one place: an object, or an isolate. Synchronous, as the storage of an object is, and durable
 * when the member returns, where it is an object's.
 */
export class Limits extends Context.Tag("larder/Limits")<
  Limits,
  {
    /** Adds hits to the window of a key. A window of up to a minute is kept in memory only. */
    readonly hit: (key: string, hits: number, windowMillis: number) => Effect.Effect<Window>
    /** Ends the window of a key. */
    readonly reset: (key: string) => Effect.Effect<void>
    /** Adds to a counter and gives its value; one row, or none for 0. */
    readonly add: (key: string, by: number) => Effect.Effect<number>
  }
>() {}
