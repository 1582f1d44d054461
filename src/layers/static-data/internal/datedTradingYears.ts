import type { CalendarYear } from "../../../services/static-data/model/TradingCalendar.ts"
import type { ExchangeRow } from "../../../services/static-data/StaticData.ts"
import type { HolidayRule } from "./holidayRules.ts"

/**
 * Holidays of exchanges as they have announced them, year by year: weekdays without a session, and behind a bar those
 * with a short one. Years behind these go by the country's rule, and are marked as estimated.
 */
export interface Dated {
  readonly earlyClose: string
  readonly years: Readonly<Record<number, string>>
}

/** London Stock Exchange: the bank holidays of England; 12:30 on the last days before Christmas and New Year. */
export const london: Dated = {
  earlyClose: "12:30",
  years: {
    2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26 | 12-24 12-31",
    2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26 | 12-24 12-31",
    2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28 | 12-24 12-31",
    2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28 | 12-24 12-31"
  }
}

/** Xetra (deutsche-boerse-cash-market.com, trading calendar); 14:00 on the last trading day of the year. */
export const frankfurt: Dated = {
  earlyClose: "14:00",
  years: {
    2024: "01-01 03-29 04-01 05-01 12-24 12-25 12-26 12-31 | 12-30",
    2025: "01-01 04-18 04-21 05-01 12-24 12-25 12-26 12-31 | 12-30",
    2026: "01-01 04-03 04-06 05-01 12-24 12-25 12-31 | 12-30"
  }
}

/** Tokyo Stock Exchange: Japan's holidays and their substitutes, 31 December to 3 January. */
export const tokyo: Dated = {
  earlyClose: "",
  years: {
    2024: "01-01 01-02 01-03 01-08 02-12 02-23 03-20 04-29 05-03 05-06 07-15 08-12 09-16 09-23 10-14 11-04 12-31",
    2025: "01-01 01-02 01-03 01-13 02-11 02-24 03-20 04-29 05-05 05-06 07-21 08-11 09-15 09-23 10-13 11-03 11-24 12-31",
    2026: "01-01 01-02 01-12 02-11 02-23 03-20 04-29 05-04 05-05 05-06 07-20 08-11 09-21 09-22 09-23 10-12 11-03 11-23 12-31",
    2027: "01-01 01-11 02-11 02-23 03-22 04-29 05-03 05-04 05-05 07-19 08-11 09-20 09-23 10-11 11-03 11-23 12-31"
  }
}

/** Australian Securities Exchange: holidays of New South Wales that it keeps; 14:10 before Christmas and New Year. */
export const sydney: Dated = {
  earlyClose: "14:10",
  years: {
    2024: "01-01 01-26 03-29 04-01 04-25 06-10 12-25 12-26 | 12-24 12-31",
    2025: "01-01 01-27 04-18 04-21 04-25 06-09 12-25 12-26 | 12-24 12-31",
    2026: "01-01 01-26 04-03 04-06 06-08 12-25 12-28 | 12-24 12-31"
  }
}

/** The last year that calendars tell by rule: the one by which somebody has looked at them again. */
export const lastEstimated = 2035

export const covers = ({ years }: Dated): ExchangeRow["covers"] => {
  const known = Object.keys(years).map(Number)
  return { from: Math.min(...known), to: lastEstimated, announcedTo: Math.max(...known) }
}

export const year = (table: Dated, rule: HolidayRule, year: number): CalendarYear | undefined => {
  const { announcedTo, from, to } = covers(table)
  if (!Number.isInteger(year) || year < from || year > to) return undefined
  if (year > announcedTo) return { ...rule(year), estimated: true }
  const [closed, early] = table.years[year]?.split("|").map((part) => part.match(/\d\d-\d\d/g) ?? []) ?? []
  return (
    closed && {
      closed: new Set(closed.map((day) => `${year}-${day}`)),
      early: new Map((early ?? []).map((day) => [`${year}-${day}`, table.earlyClose])),
      estimated: false
    }
  )
}
