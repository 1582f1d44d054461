import type { CalendarYear } from "../../../services/static-data/model/TradingCalendar.ts"
import { shiftDate, weekdayOf } from "../../../services/static-data/model/ZonedTime.ts"
import { nyseHolidays } from "./nyseHolidayTable.ts"

const held = Object.keys(nyseHolidays).map(Number)

/**
 * The exchanges of the United States. Holidays are those of nyse-holidays, which knows neither early closes nor days of
 * mourning. 2024 to 2028 are as NYSE has announced them (2023-12 to 2025-12); the years behind follow its Rule 7.2.
 */
export const covers = { from: Math.min(...held), to: Math.max(...held) }

const years = new Map<number, CalendarYear>()

export const year = (year: number): CalendarYear | undefined => {
  const known = years.get(year)
  const holidays = nyseHolidays[year]
  if (known !== undefined || holidays === undefined) return known
  const closed = new Set(holidays.split(" ").map((day) => `${year}-${day}`))
  for (const date of mourning) if (date.startsWith(`${year}-`)) closed.add(date)
  const made = { closed, early: new Map(earlyCloses(year, closed).map((date) => [date, "13:00"])) }
  years.set(year, made)
  return made
}

/** For the presidents Bush (elder) and Carter. */
const mourning = ["2018-12-05", "2025-01-09"]

/**
 * 13:00 on the day before Independence Day, on the day after Thanksgiving, and on Christmas Eve; not where that is a
 * weekend, or itself a holiday, observed for one on the weekend.
 */
const earlyCloses = (year: number, closed: ReadonlySet<string>): ReadonlyArray<string> =>
  [`${year}-07-03`, shiftDate(thanksgiving(year), 1), `${year}-12-24`].filter(
    (date) => isWeekday(date) && !closed.has(date)
  )

const isWeekday = (date: string): boolean => weekdayOf(date) % 6 !== 0

/** The fourth Thursday of November. */
const thanksgiving = (year: number): string => {
  const first = `${year}-11-01`
  return shiftDate(first, ((11 - weekdayOf(first)) % 7) + 21)
}
