import type { CalendarYear } from "../../../services/static-data/model/TradingCalendar.ts"
import type { ExchangeRow } from "../../../services/static-data/StaticData.ts"
import { lastEstimated } from "./datedTradingYears.ts"
import { americanEarlyCloses, newYork } from "./holidayRules.ts"
import { nyseHolidays } from "./nyseHolidayTable.ts"

/**
 * The exchanges of the United States. Holidays are those of nyse-holidays, which knows neither early closes nor days of
 * mourning. Years to 2028 are as NYSE has announced them (2023-12 to 2025-12); those behind follow its Rule 7.2.
 */
export const covers: ExchangeRow["covers"] = {
  from: Math.min(...Object.keys(nyseHolidays).map(Number)),
  to: lastEstimated,
  announcedTo: 2028
}

const years = new Map<number, CalendarYear>()

export const year = (year: number): CalendarYear | undefined => {
  const known = years.get(year)
  if (known !== undefined || !(Number.isInteger(year) && year >= covers.from && year <= covers.to)) return known
  const made = { ...(tabled(year) ?? newYork(year)), estimated: year > covers.announcedTo }
  years.set(year, made)
  return made
}

const tabled = (year: number): Omit<CalendarYear, "estimated"> | undefined => {
  const holidays = nyseHolidays[year]
  if (holidays === undefined) return undefined
  const closed = new Set(holidays.split(" ").map((day) => `${year}-${day}`))
  for (const date of mourning) if (date.startsWith(`${year}-`)) closed.add(date)
  return { closed, early: new Map(americanEarlyCloses(year, closed).map((date) => [date, "13:00"])) }
}

/** For the presidents Bush (elder) and Carter. */
const mourning = ["2018-12-05", "2025-01-09"]
