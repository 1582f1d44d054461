import type { CalendarYear } from "../../../services/static-data/model/TradingCalendar.ts"
import { shiftDate, weekdayOf } from "../../../services/static-data/model/ZonedTime.ts"

const dateOf = (year: number, month: number, day: number): string =>
  `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`

const isWeekday = (date: string): boolean => weekdayOf(date) % 6 !== 0

const sunday = 0
const monday = 1
const thursday = 4

/** The n-th such weekday of a month, counted from 1. */
const nth = (n: number, weekday: number, year: number, month: number): string => {
  const first = dateOf(year, month, 1)
  return shiftDate(first, ((weekday - weekdayOf(first) + 7) % 7) + 7 * (n - 1))
}

/** The last Monday of a month that has 31 days. */
const lastMonday = (year: number, month: number): string => {
  const last = dateOf(year, month, 31)
  return shiftDate(last, -((weekdayOf(last) - monday + 7) % 7))
}

/** Easter Sunday of the Gregorian calendar: the anonymous algorithm (Nature, 1876). */
export const easter = (year: number): string => {
  const a = year % 19
  const century = Math.floor(year / 100)
  const rest = year % 100
  const g = Math.floor((8 * century + 13) / 25)
  const h = (19 * a + century - Math.floor(century / 4) - g + 15) % 30
  const l = (32 + 2 * (century % 4) + 2 * Math.floor(rest / 4) - h - (rest % 4)) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  const days = h + l - 7 * m + 114
  return dateOf(year, Math.floor(days / 31), (days % 31) + 1)
}

const goodFriday = (year: number): string => shiftDate(easter(year), -2)

const easterMonday = (year: number): string => shiftDate(easter(year), 1)

/** The days, each moved to the next one that is a weekday and not taken by another. */
const movedOn = (...days: ReadonlyArray<string>): ReadonlyArray<string> => {
  const taken = new Set<string>()
  for (const day of days) {
    let kept = day
    while (!isWeekday(kept) || taken.has(kept)) kept = shiftDate(kept, 1)
    taken.add(kept)
  }
  return [...taken]
}

/** The last day before a date on which the exchange trades. */
const lastTradedBefore = (date: string, closed: ReadonlySet<string>): string => {
  let day = shiftDate(date, -1)
  while (!isWeekday(day) || closed.has(day)) day = shiftDate(day, -1)
  return day
}

const calendarYear = (
  days: ReadonlyArray<string>,
  early: (closed: ReadonlySet<string>) => ReadonlyArray<string>,
  earlyClose: string
): CalendarYear => {
  const closed = new Set(days.filter(isWeekday).sort())
  return { closed, early: new Map(early(closed).map((date) => [date, earlyClose])) }
}

/** A year as the rules of a country's or an exchange's holidays make it. */
export type HolidayRule = (year: number) => CalendarYear

/** The bank holidays of England and Wales, and half days before Christmas and New Year. */
export const london: HolidayRule = (year) =>
  calendarYear(
    [
      ...movedOn(dateOf(year, 1, 1)),
      goodFriday(year),
      easterMonday(year),
      nth(1, monday, year, 5),
      lastMonday(year, 5),
      lastMonday(year, 8),
      ...movedOn(dateOf(year, 12, 25), dateOf(year, 12, 26))
    ],
    (closed) => [dateOf(year, 12, 25), dateOf(year + 1, 1, 1)].map((date) => lastTradedBefore(date, closed)),
    "12:30"
  )

/** Xetra trades on every weekday but these; a shorter day is its last one. */
export const frankfurt: HolidayRule = (year) =>
  calendarYear(
    [
      dateOf(year, 1, 1),
      goodFriday(year),
      easterMonday(year),
      dateOf(year, 5, 1),
      ...[24, 25, 26, 31].map((day) => dateOf(year, 12, day))
    ],
    (closed) => [lastTradedBefore(dateOf(year, 12, 31), closed)],
    "14:00"
  )

/** The holidays of New South Wales that the exchange keeps: Anzac Day is not moved. */
export const sydney: HolidayRule = (year) =>
  calendarYear(
    [
      ...movedOn(dateOf(year, 1, 1)),
      ...movedOn(dateOf(year, 1, 26)),
      goodFriday(year),
      easterMonday(year),
      dateOf(year, 4, 25),
      nth(2, monday, year, 6),
      ...movedOn(dateOf(year, 12, 25), dateOf(year, 12, 26))
    ],
    (closed) => [dateOf(year, 12, 25), dateOf(year + 1, 1, 1)].map((date) => lastTradedBefore(date, closed)),
    "14:10"
  )

/** Days of the equinoxes in Japan, 1980 to 2099. Source: National Astronomical Observatory of Japan, approximation. */
const equinox = (year: number, month: 3 | 9): string => {
  const passed = year - 1980
  const day = (month === 3 ? 20.8431 : 23.2488) + 0.242194 * passed - Math.floor(passed / 4)
  return dateOf(year, month, Math.floor(day))
}

/** Japan's Public Holiday Law, and the exchange's own days at the turn of the year. */
export const tokyo: HolidayRule = (year) => {
  const named = new Set([
    dateOf(year, 1, 1),
    nth(2, monday, year, 1),
    dateOf(year, 2, 11),
    dateOf(year, 2, 23),
    equinox(year, 3),
    dateOf(year, 4, 29),
    ...[3, 4, 5].map((day) => dateOf(year, 5, day)),
    nth(3, monday, year, 7),
    dateOf(year, 8, 11),
    nth(3, monday, year, 9),
    equinox(year, 9),
    nth(2, monday, year, 10),
    dateOf(year, 11, 3),
    dateOf(year, 11, 23)
  ])
  const days = new Set([...named, dateOf(year, 1, 2), dateOf(year, 1, 3), dateOf(year, 12, 31)])
  for (const day of named) {
    // A day between two holidays is one (article 3.3), and so is the first day after a holiday on a Sunday (3.2).
    if (named.has(shiftDate(day, 2))) days.add(shiftDate(day, 1))
    if (weekdayOf(day) !== sunday) continue
    let next = shiftDate(day, 1)
    while (named.has(next)) next = shiftDate(next, 1)
    days.add(next)
  }
  return calendarYear([...days], () => [], "")
}

/** NYSE Rule 7.2: a Saturday's holiday is kept on Friday, unless that ends a year; a Sunday's on Monday. */
const observed = (date: string): ReadonlyArray<string> => {
  const weekday = weekdayOf(date)
  if (weekday === sunday) return [shiftDate(date, 1)]
  if (weekday !== 6) return [date]
  return date.endsWith("-01-01") ? [] : [shiftDate(date, -1)]
}

const thanksgiving = (year: number): string => nth(4, thursday, year, 11)

/**
 * 13:00 on the day before Independence Day, on the day after Thanksgiving, and on Christmas Eve; not where that is a
 * weekend, or itself a holiday, observed for one on the weekend.
 */
export const americanEarlyCloses = (year: number, closed: ReadonlySet<string>): ReadonlyArray<string> =>
  [dateOf(year, 7, 3), shiftDate(thanksgiving(year), 1), dateOf(year, 12, 24)].filter(
    (date) => isWeekday(date) && !closed.has(date)
  )

/** Rule 7.2 of the New York Stock Exchange, which the others of the country keep as well. */
export const newYork: HolidayRule = (year) =>
  calendarYear(
    [
      ...observed(dateOf(year, 1, 1)),
      nth(3, monday, year, 1),
      nth(3, monday, year, 2),
      goodFriday(year),
      lastMonday(year, 5),
      ...(year >= 2022 ? observed(dateOf(year, 6, 19)) : []),
      ...observed(dateOf(year, 7, 4)),
      nth(1, monday, year, 9),
      thanksgiving(year),
      ...observed(dateOf(year, 12, 25))
    ],
    (closed) => americanEarlyCloses(year, closed),
    "13:00"
  )
