import * as Schema from "effect/Schema"
import * as TypedCollection from "../../repository/model/TypedCollection.ts"
import { Scored } from "../Sentiment.ts"
import * as declared from "./MarketCollections.ts"
import { Signal } from "./Signal.ts"
import { Outcome } from "./SignalTracking.ts"

/** The close of a symbol and its change since the session before, as a fraction. */
export const Moved = Schema.Struct({ symbol: Schema.String, close: Schema.Number, change: Schema.Number })

export interface Moved extends Schema.Schema.Type<typeof Moved> {}

const { confidence, label, score } = Scored.fields

/** A trading day of the home exchange, after its close. */
export const DailyReport = Schema.Struct({
  date: Schema.NonEmptyString,
  /** Milliseconds since the epoch. */
  publishedAt: Schema.Int,
  /** Whether the exchange closed before its usual hour. */
  earlyClose: Schema.Boolean,
  /** The day in two sentences. */
  summary: Schema.String,
  /** The fund of the whole market. */
  market: Moved,
  /** Stocks by the sign of their change. */
  breadth: Schema.Struct({ up: Schema.Int, down: Schema.Int, unchanged: Schema.Int }),
  /** By the change of their funds, best first. */
  sectors: Schema.Array(
    Schema.Struct({ id: Schema.String, name: Schema.String, etf: Schema.String, change: Schema.Number })
  ),
  /** The stocks that moved most, most first. */
  movers: Schema.Struct({ up: Schema.Array(Moved), down: Schema.Array(Moved) }),
  /** Of the press about all stocks; null when it could not be had. */
  sentiment: Schema.NullOr(Schema.Struct({ score, label, confidence })),
  /** Made at this close. */
  signals: Schema.Array(Signal),
  /** Signals that were judged by this close. */
  tracking: Schema.Struct({ judged: Schema.Int, right: Schema.Int, outcomes: Schema.Array(Outcome) }),
  /** Symbols of which there was no close. */
  missing: Schema.Array(Schema.String)
})

export interface DailyReport extends Schema.Schema.Type<typeof DailyReport> {}

/** By date, `YYYY-MM-DD`. A report is written once and never changed. */
export const dailyReports = TypedCollection.make({
  ...declared.dailyReports,
  key: Schema.NonEmptyString,
  value: DailyReport
})

type Day = Pick<DailyReport, "market" | "breadth" | "sectors" | "signals" | "tracking">

export const summaryOf = ({ breadth, market, sectors, signals, tracking }: Day): string => {
  const stocks = breadth.up + breadth.down + breadth.unchanged
  const best = sectors[0]
  const worst = sectors.at(-1)
  const led =
    best && worst && best !== worst
      ? ` ${best.name} led (${percent(best.change)}), ${worst.name} trailed (${percent(worst.change)}).`
      : ""
  const judged = tracking.judged === 0 ? "" : `; of ${tracking.judged} that were due, ${tracking.right} had been right`
  return (
    `${market.symbol} closed at ${market.close.toFixed(2)} (${percent(market.change)}); ${breadth.up} of ${stocks} stocks rose.` +
    `${led} ${signals.length} new ${signals.length === 1 ? "signal" : "signals"}${judged}.`
  )
}

const percent = (change: number): string => `${change < 0 ? "-" : "+"}${Math.abs(change * 100).toFixed(2)} %`
