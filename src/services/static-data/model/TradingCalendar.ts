import { isDate, localDate, shiftDate, weekdayOf, zonedMillis } from "./ZonedTime.ts"

/** One trading day. Milliseconds since the epoch. */
export interface TradingSession {
  readonly open: number
  /** The first moment at which it is no longer open. */
  readonly close: number
  /** Whether it closes before the usual hour. */
  readonly early: boolean
  /** Present where the year is one that the exchange has not announced: its holidays are those of the rule. */
  readonly estimated?: true
  /** Where the exchange rests at midday; it is closed from `from` until before `to`. */
  readonly pause?: { readonly from: number; readonly to: number }
}

/** What an exchange does on one year's days. Dates as `YYYY-MM-DD`, hours as `HH:MM`, all in its own time zone. */
export interface CalendarYear {
  /** Days without a session; those of weekends need not be named. */
  readonly closed: ReadonlySet<string>
  /** Days on which it closes early, and at which hour. */
  readonly early: ReadonlyMap<string, string>
  /** Whether the exchange has not announced it: the days are those of the usual rule. */
  readonly estimated?: boolean
}

export interface TradingCalendar {
  /** IANA name of the time zone. */
  readonly zone: string
  /** The usual hours of a day. They have changed over the years: Tokyo closes at 15:30 since 2024-11-05. */
  readonly hours: (date: string) => {
    readonly open: string
    readonly close: string
    readonly pause?: readonly [from: string, to: string]
  }
  /** Undefined for a year that the calendar does not know. */
  readonly year: (year: number) => CalendarYear | undefined
}

/**
 * The session of a day in the exchange's zone; `closed` on weekends and holidays; `unknown` for what is no date, or of
 * a year that the calendar does not know.
 */
export const sessionOn = (calendar: TradingCalendar, date: string): TradingSession | "closed" | "unknown" => {
  if (!isDate(date)) return "unknown"
  const year = calendar.year(Number(date.slice(0, 4)))
  if (year === undefined) return "unknown"
  const weekday = weekdayOf(date)
  if (weekday === 0 || weekday === 6 || year.closed.has(date)) return "closed"
  const hours = calendar.hours(date)
  const early = year.early.get(date)
  const at = (time: string): number => zonedMillis(calendar.zone, date, time)
  const session = {
    open: at(hours.open),
    close: at(early ?? hours.close),
    early: early !== undefined,
    ...(year.estimated === true ? { estimated: true as const } : {})
  }
  if (hours.pause === undefined) return session
  const [from, to] = hours.pause
  return at(to) < session.close ? { ...session, pause: { from: at(from), to: at(to) } } : session
}

/** Whether a moment (milliseconds since the epoch) lies inside a session. */
export const isInside = ({ close, open, pause }: TradingSession, at: number): boolean =>
  open <= at && at < close && !(pause !== undefined && pause.from <= at && at < pause.to)

/**
 * Whether the exchange is open at a moment; undefined where the calendar does not know. No session crosses midnight, so
 * it is the local day's that counts.
 *
 * @param session {@link sessionOn} of the same calendar, perhaps remembered
 */
export const openAt = (
  calendar: TradingCalendar,
  session: (date: string) => TradingSession | "closed" | "unknown",
  at: number
): boolean | undefined => {
  const date = localDate(calendar.zone, at)
  const day = date === undefined ? "unknown" : session(date)
  return day === "unknown" ? undefined : day !== "closed" && isInside(day, at)
}

/** The last `count` days with a session up to and with `date`, oldest first; undefined where a year of them is unknown. */
export const tradingDays = (
  session: (date: string) => TradingSession | "closed" | "unknown",
  date: string,
  count: number
): ReadonlyArray<string> | undefined => {
  const days: Array<string> = []
  for (let day = date; days.length < count; day = shiftDate(day, -1)) {
    const found = session(day)
    if (found === "unknown") return undefined
    if (found !== "closed") days.push(day)
  }
  return days.reverse()
}
