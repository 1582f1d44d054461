import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/**
 * - `Unavailable`: the source did not answer; a retry may succeed. `RateLimited`: it wants to be asked less.
 * - `Malformed`: it answered what makes no sense. `NoCalendar`: no trading days are known for that date.
 */
export class MarketHistoryError extends Data.TaggedError("MarketHistoryError")<{
  readonly operation: "closes"
  readonly reason: "Unavailable" | "RateLimited" | "Malformed" | "NoCalendar"
  readonly cause?: unknown
}> {}

/** Daily closes in one block, a row for every day, a column for every symbol. */
export interface DailyCloses {
  /** Trading days as `YYYY-MM-DD`, oldest first. */
  readonly days: ReadonlyArray<string>
  readonly symbols: ReadonlyArray<string>
  /** The close of symbol `s` on day `d` at `d * symbols.length + s`, adjusted for splits; `NaN` where there is none. */
  readonly closes: Float64Array
  /** What each symbol weighs, as a rule its market capitalisation on the last day in any one unit; `NaN` if unknown. */
  readonly weights: Float64Array
}

/** Past prices, from wherever they come. */
export class MarketHistory extends Context.Tag("larder/MarketHistory")<
  MarketHistory,
  {
    /**
     * The `count` trading days up to and with `upTo` (`YYYY-MM-DD`), or the last before it where it is none itself.
     * Symbols in the order asked; one that the source does not know has `NaN` everywhere. The same question has the
     * same answer once the last day is over.
     */
    readonly closes: (
      symbols: ReadonlyArray<string>,
      upTo: string,
      count: number
    ) => Effect.Effect<DailyCloses, MarketHistoryError>
  }
>() {}
