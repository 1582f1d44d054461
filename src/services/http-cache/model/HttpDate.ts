const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

const imfFixdate = /^[a-z]{3}, (\d\d) ([a-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) gmt$/i
const rfc850 = /^[a-z]{6,9}, (\d\d)-([a-z]{3})-(\d\d) (\d\d):(\d\d):(\d\d) gmt$/i
const asctime = /^[a-z]{3} ([a-z]{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/i

const fifty = 50

/** A two-digit year is the latest one with these digits that lies at most 50 years ahead (RFC 9110, 5.6.7). */
const fullYear = (twoDigits: number, now: number): number => {
  const latest = new Date(now).getUTCFullYear() + fifty
  return latest - ((latest - twoDigits) % 100)
}

const instant = (
  year: number,
  month: string,
  day: string,
  hour: string,
  minute: string,
  second: string
): number | undefined => {
  const date = new Date(
    Date.UTC(year, months.indexOf(month.toLowerCase()), +day, +hour, +minute, Math.min(+second, 59))
  )
  const valid = date.getUTCDate() === +day && +hour < 24 && +minute < 60 && +second <= 60
  return valid ? date.getTime() : undefined
}

/**
 * An HTTP date in any of the three formats that recipients must read (RFC 9110, 5.6.7), in milliseconds since the
 * epoch; undefined for anything else. `Date.parse` accepts far more, and a date that other caches read as "expired"
 * must not be fresh here.
 */
export const parse = (text: string, now: number): number | undefined => {
  const fixed = imfFixdate.exec(text)
  if (fixed !== null) return instant(+fixed[3]!, fixed[2]!, fixed[1]!, fixed[4]!, fixed[5]!, fixed[6]!)
  const old = rfc850.exec(text)
  if (old !== null) return instant(fullYear(+old[3]!, now), old[2]!, old[1]!, old[4]!, old[5]!, old[6]!)
  const c = asctime.exec(text)
  if (c !== null) return instant(+c[6]!, c[1]!, c[2]!, c[3]!, c[4]!, c[5]!)
  return undefined
}

/** The same of a field that may be absent. */
export const ofField = (headers: Headers, name: string, now: number): number | undefined => {
  const text = headers.get(name)
  return text === null ? undefined : parse(text.trim(), now)
}
