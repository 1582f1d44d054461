import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Figures } from "./model/Figures.ts"

export class FigureBookError extends Data.TaggedError("FigureBookError")<{
  readonly operation: "read"
  readonly reason: "Unavailable"
  readonly cause?: unknown
}> {}

export interface FigurePoint {
  /** Milliseconds since the epoch when it began. */
  readonly at: number
  readonly figures: Figures
}

/** What was counted, in all and over time. Points are those in which anything was. */
export interface FigureView {
  /** `isolate`: the one that answers, since it began. `all`: all isolates, those included that are gone. */
  readonly scope: "all" | "isolate"
  /** Milliseconds since the epoch. */
  readonly since: number
  /** Isolates that have told something lately. */
  readonly isolates: number
  readonly total: Figures
  /** The last two hours. */
  readonly minutes: ReadonlyArray<FigurePoint>
  /** The last three days. */
  readonly hours: ReadonlyArray<FigurePoint>
  /** The last ninety. */
  readonly days: ReadonlyArray<FigurePoint>
}

/** The book, where one can do without it: undefined where nothing brings the figures of isolates together. */
export class AnyFigureBook extends Context.Reference<AnyFigureBook>()("larder/AnyFigureBook", {
  defaultValue: (): (() => FigureBook["Type"] | undefined) => () => undefined
}) {}

/** Where the figures of all isolates come together. */
export class FigureBook extends Context.Tag("larder/FigureBook")<
  FigureBook,
  {
    /** With all that this isolate has counted until now. */
    readonly view: Effect.Effect<FigureView, FigureBookError>
  }
>() {}
