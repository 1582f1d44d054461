import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Quote } from "./model/Quote.ts"

/**
 * - `RateLimited`: the provider asks to be left alone (429). `Unavailable`: 5xx, or no connection. `TimedOut`.
 * - `Refused`: any other status, such as 401 or 404 for everything. `Malformed`: not the answer it promises.
 * - `Throttled`: not asked, because it failed too often just now.
 */
export type MarketDataReason = "RateLimited" | "Unavailable" | "TimedOut" | "Refused" | "Malformed" | "Throttled"

export class MarketDataError extends Data.TaggedError("MarketDataError")<{
  readonly operation: "quotes" | "history"
  readonly reason: MarketDataReason
  /** Seconds after which it is worth another try. */
  readonly retryAfter?: number
  /** What exactly was wrong, for the log. */
  readonly detail?: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.operation} failed: ${this.reason}${this.detail === undefined ? "" : ` (${this.detail})`}`
  }
}

/** What one finished session left of one symbol. */
export interface DailyClose {
  /** The session's day at its exchange, `YYYY-MM-DD`. */
  readonly date: string
  readonly close: number
  /** Shares traded. */
  readonly volume: number
}

/** The provider of prices. Symbols are in upper case; those it knows nothing of are left out of the answer. */
export class MarketData extends Context.Tag("larder/MarketData")<
  MarketData,
  {
    /** By which `Throttle` counts its failures. */
    readonly provider: string
    /** The last trades as of now. Some symbols may be missing; it fails only when there is nothing to give. */
    readonly quotes: (symbols: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, Quote>, MarketDataError>
    /**
     * The closes of the last `days` finished sessions up to and including the day `upTo` (`YYYY-MM-DD`; today without
     * it), oldest first; fewer where the provider has fewer.
     */
    readonly history: (
      symbols: ReadonlyArray<string>,
      options: { readonly days: number; readonly upTo?: string }
    ) => Effect.Effect<ReadonlyMap<string, ReadonlyArray<DailyClose>>, MarketDataError>
  }
>() {}
