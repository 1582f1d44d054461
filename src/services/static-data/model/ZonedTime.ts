import * as UtcDay from "../../base/model/UtcDay.ts"

/** A calendar date as `YYYY-MM-DD` that exists, from the year 100. */
export const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && dateOf(dayNumber(text)) === text

/** Days since 1970-01-01. */
const dayNumber = (date: string): number =>
  Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)) - 1, Number(date.slice(8, 10))) / UtcDay.dayMillis

const dateOf = (day: number): string => UtcDay.dateOf(day * UtcDay.dayMillis)

/** The date so many days later, or earlier below zero. */
export const shiftDate = (date: string, days: number): string => dateOf(dayNumber(date) + days)

/** 0 for Sunday to 6 for Saturday. */
export const weekdayOf = (date: string): number => new Date(dayNumber(date) * UtcDay.dayMillis).getUTCDay()

/**
 * The moment (milliseconds since the epoch) at which clocks in an IANA time zone show a date and an hour `HH:MM`. Of an
 * hour that is shown twice the first; one that is skipped counts as if the clock had not been moved.
 */
export const zonedMillis = (zone: string, date: string, time: string): number => {
  const wall = dayNumber(date) * UtcDay.dayMillis + (Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))) * 60_000
  const before = wall - offsetAt(zone, wall - UtcDay.dayMillis)
  if (before + offsetAt(zone, before) === wall) return before
  const after = wall - offsetAt(zone, wall + UtcDay.dayMillis)
  return after + offsetAt(zone, after) === wall ? after : before
}

/** The date that calendars in a zone show at a moment (milliseconds since the epoch); undefined for what is no moment. */
export const localDate = (zone: string, at: number): string | undefined =>
  Math.abs(at) <= lastMillis ? UtcDay.dateOf(at + offsetAt(zone, at)) : undefined

/** A day within the last that a Date can hold and that has four digits for a year. */
const lastMillis = Date.UTC(9999, 11, 30)

/** All zones change their offset at a full quarter of an hour. */
const quarter = 900_000

interface Zone {
  readonly format: Intl.DateTimeFormat
  /** The quarter asked last, and its offset: who asks, asks again soon. */
  asked: number
  offset: number
}

const zones = new Map<string, Zone>()

/** Milliseconds that a zone is ahead of UTC at a moment. */
const offsetAt = (name: string, at: number): number => {
  let zone = zones.get(name)
  if (zone === undefined) {
    zone = { format: new Intl.DateTimeFormat("en-US", { ...fields, timeZone: name }), asked: Number.NaN, offset: 0 }
    zones.set(name, zone)
  }
  const asked = Math.floor(at / quarter)
  if (asked !== zone.asked) {
    const shown: Record<string, number> = {}
    for (const { type, value } of zone.format.formatToParts(asked * quarter)) shown[type] = Number(value)
    const { day, hour, minute, month, second, year } = shown
    zone.offset = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - asked * quarter
    zone.asked = asked
  }
  return zone.offset
}

const fields: Intl.DateTimeFormatOptions = {
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit"
}
