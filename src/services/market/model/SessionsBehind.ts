import type { TradingSession } from "../../static-data/model/TradingCalendar.ts"
import type { StaticData } from "../../static-data/StaticData.ts"

/** A trading day of an exchange, and the one before it. */
export interface SessionDay {
  /** `YYYY-MM-DD` at the exchange. */
  readonly date: string
  readonly session: TradingSession
  /** The trading day before. */
  readonly previous: string
}

type Calendar = Pick<StaticData["Type"], "dateAt" | "session" | "tradingDays">

/**
 * The last session that has begun at a moment (milliseconds since the epoch), over or not; undefined where the exchange
 * or its calendar is unknown.
 */
export const lastBegun = (calendar: Calendar, exchange: string, at: number): SessionDay | undefined =>
  lastBy(calendar, exchange, at, ({ open }) => open)

/** The last session that is over at a moment: from its close on, which on some days is early. */
export const lastOver = (calendar: Calendar, exchange: string, at: number): SessionDay | undefined =>
  lastBy(calendar, exchange, at, ({ close }) => close)

const lastBy = (
  calendar: Calendar,
  exchange: string,
  at: number,
  moment: (session: TradingSession) => number
): SessionDay | undefined => {
  const today = calendar.dateAt(exchange, at)
  const days = today === undefined ? undefined : calendar.tradingDays(exchange, today, 3)
  if (days === undefined) return undefined
  for (const index of [2, 1] as const) {
    const session = calendar.session(exchange, days[index]!)
    if (typeof session !== "string" && moment(session) <= at) {
      return { date: days[index]!, session, previous: days[index - 1]! }
    }
  }
  return undefined
}
