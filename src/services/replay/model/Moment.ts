/** Milliseconds since the epoch of a date in UTC; undefined for one that the calendar or the clock does not have. */
const utc = (
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  millis: number
): number | undefined => {
  // A leap second is the last moment of its minute.
  const leap = second === 60
  const at = Date.UTC(year, month - 1, day, hour, minute, leap ? 59 : second, leap ? 999 : millis)
  const date = new Date(at)
  return hour < 24 && minute < 60 && second <= 60 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    ? at
    : undefined
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

const clfDate =
  /^(\d{1,2})\/([A-Za-z]{3})\/(\d{4})[:T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?: ?([+-]\d{2}:?\d{2}|Z))?$/

const isoDate =
  /^(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ]+(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? ?([+-]\d{2}:?\d{2}|[+-]\d{2}|Z|UTC|GMT)?$/i

/** ISO 8601 without its separators: `20261127T231541Z`. */
const basicDate = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(?:[.,](\d{1,9}))?([+-]\d{2}:?\d{2}|[+-]\d{2}|Z)?$/i

/** RFC 5322, and the dates of HTTP: `Fri, 27 Nov 2026 23:15:41 GMT`. */
const mailDate =
  /^(?:[A-Za-z]{3,9}, ?)?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}) (\d{2}):(\d{2}):(\d{2})()? ?([+-]\d{2}:?\d{2}|Z|UTC|GMT)?$/

const millisOf = (fraction: string | undefined): number =>
  fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000 + 1e-6)

/** Milliseconds east of Greenwich; none is UTC. */
const zoneOf = (zone: string | undefined): number | undefined => {
  if (zone === undefined || !/^[+-]/.test(zone)) return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(":", "") || 0)
  if (hours > 14 || minutes > 59) return undefined
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

const shifted = (local: number | undefined, zone: string | undefined): number | undefined => {
  const east = zoneOf(zone)
  return local === undefined || east === undefined ? undefined : local - east
}

/**
 * Milliseconds since the epoch of a written date: `10/Oct/2000:13:55:36 -0700` as web servers log it, or ISO 8601, both
 * with or without a fraction of a second, or as HTTP and mail write it; UTC without a zone. Undefined for anything else,
 * and for dates there are not.
 */
export const momentOf = (text: string): number | undefined => {
  const clf = clfDate.exec(text) ?? mailDate.exec(text)
  if (clf !== null) {
    const [, day, month, year, hour, minute, second, fraction, zone] = clf
    const number = months.indexOf(month!.toLowerCase()) + 1
    if (number === 0) return undefined
    return shifted(
      utc(Number(year), number, Number(day), Number(hour), Number(minute), Number(second), millisOf(fraction)),
      zone
    )
  }
  const iso = isoDate.exec(text) ?? basicDate.exec(text)
  if (iso === null) return undefined
  const [, year, month, day, hour, minute, second, fraction, zone] = iso
  const [h, m, s] = [Number(hour ?? 0), Number(minute ?? 0), Number(second ?? 0)]
  return shifted(utc(Number(year), Number(month), Number(day), h, m, s, millisOf(fraction)), zone)
}

/** A number from here on is a date rather than an index: seconds of the year 2000. */
const firstDate = 946_684_800

/** Milliseconds in a unit of time. */
export const unitMillis = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 }

export type TimeUnit = keyof typeof unitMillis

/** The unit that makes a number a date between 2000 and 5138; undefined for one that is a date in none. */
export const unitOf = (number: number): TimeUnit | undefined => {
  if (number < firstDate) return undefined
  if (number < 1e11) return "s"
  if (number < 1e14) return "ms"
  return number < 1e17 ? "us" : number < 1e20 ? "ns" : undefined
}
