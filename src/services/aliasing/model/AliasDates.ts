import { dateOf, dayMillis } from "../../base/model/UtcDay.ts"

/** Every time zone in use is a multiple of this away from UTC, so that no day begins within one. */
const slotMillis = 900_000

/** Days that a word lies after today; undefined for what is no such word. */
export const daysFromToday = (word: string): number | undefined => {
  if (word === "today") return 0
  if (word === "yesterday") return -1
  if (word === "tomorrow") return 1
  return /^today[+-]\d{1,4}$/.test(word) ? Number(word.slice(5)) : undefined
}

/**
 * The date some days after today, `2026-11-21`, as a calendar in the time zone shows it. Asks the zone's rules once
 * in a quarter of an hour. Throws a RangeError for what is no time zone.
 */
export const makeCalendar = (zone: string): ((days: number, now: number) => string) => {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    year: "numeric",
    month: "numeric",
    day: "numeric"
  })
  let slot = Number.NaN
  let today = 0
  return (days, now) => {
    const current = Math.floor(now / slotMillis)
    if (current !== slot) {
      const [month, day, year] = format.format(now).split("/").map(Number)
      today = Date.UTC(year!, month! - 1, day!)
      slot = current
    }
    return dateOf(today + days * dayMillis)
  }
}
