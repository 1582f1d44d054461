import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { covers, year } from "../../../../src/layers/static-data/internal/usTradingYears.ts"
import { shiftDate, weekdayOf } from "../../../../src/services/static-data/model/ZonedTime.ts"

/** Those that the package has. */
const years = Array.from({ length: 2030 - covers.from + 1 }, (_, offset) => covers.from + offset)

/** The n-th such weekday of a month, the last for n = -1. */
const nth = (n: number, weekday: number, year: number, month: number): string => {
  const days: Array<string> = []
  for (let date = `${year}-${String(month).padStart(2, "0")}-01`; Number(date.slice(5, 7)) === month; ) {
    if (weekdayOf(date) === weekday) days.push(date)
    date = shiftDate(date, 1)
  }
  return days.at(n > 0 ? n - 1 : n)!
}

/** Easter Sundays of the Gregorian calendar (almanac). */
const easter: Readonly<Record<number, string>> = {
  2015: "04-05",
  2016: "03-27",
  2017: "04-16",
  2018: "04-01",
  2019: "04-21",
  2020: "04-12",
  2021: "04-04",
  2022: "04-17",
  2023: "04-09",
  2024: "03-31",
  2025: "04-20",
  2026: "04-05",
  2027: "03-28",
  2028: "04-16",
  2029: "04-01",
  2030: "04-21"
}

/** NYSE Rule 7.2: a Saturday's holiday is kept on Friday, unless that ends a month; a Sunday's on Monday. */
const observed = (date: string): ReadonlyArray<string> => {
  const weekday = weekdayOf(date)
  if (weekday === 0) return [shiftDate(date, 1)]
  if (weekday !== 6) return [date]
  const friday = shiftDate(date, -1)
  return friday.slice(0, 7) === date.slice(0, 7) ? [friday] : []
}

const byRule = (year: number): ReadonlyArray<string> => [
  ...observed(`${year}-01-01`),
  nth(3, 1, year, 1),
  nth(3, 1, year, 2),
  shiftDate(`${year}-${easter[year]}`, -2),
  nth(-1, 1, year, 5),
  ...(year >= 2022 ? observed(`${year}-06-19`) : []),
  ...observed(`${year}-07-04`),
  nth(1, 1, year, 9),
  nth(4, 4, year, 11),
  ...observed(`${year}-12-25`)
]

/** What nyse-holidays says in a process whose time zone it is: a process has one, for all its threads. */
const inZone = async (
  zone: string
): Promise<{ readonly holidays: ReadonlyArray<unknown>; readonly offset: number }> => {
  const script = `
    import { getHolidays } from "nyse-holidays"
    const holidays = ${JSON.stringify(years)}.map((year) => getHolidays(year).map(({ dateString }) => dateString))
    console.log(JSON.stringify({ holidays, offset: new Date(2026, 0, 15).getTimezoneOffset() }))`
  const env = { ...process.env, TZ: zone }
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { env })
  return JSON.parse(stdout)
}

describe("the calendar of the United States", () => {
  it("is the package's, the rules' and NYSE's own, but for days of mourning", () => {
    const mourning = new Set(["2018-12-05", "2025-01-09"])
    for (const one of years) {
      const closed = [...year(one)!.closed].filter((date) => !mourning.has(date)).sort()
      expect(closed).toStrictEqual([...byRule(one)].sort())
    }
    expect(year(2018)!.closed).toContain("2018-12-05")
    expect(year(2025)!.closed).toContain("2025-01-09")
  })

  it("does not depend on where the clock hangs", async () => {
    const expected = await inZone("UTC")
    expect(expected.holidays).toHaveLength(years.length)
    const zones = ["America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Cairo"]
    const offsets = new Set<number>()
    for (const name of [...zones, "Asia/Beirut", "America/Havana", "Australia/Lord_Howe", "Atlantic/Azores"]) {
      const { holidays, offset } = await inZone(name)
      expect(holidays).toStrictEqual(expected.holidays)
      offsets.add(offset)
    }
    expect(offsets.size).toBeGreaterThan(6)
  })

  it("closes early on the days that NYSE announced, and no other", () => {
    const announced: Readonly<Record<number, ReadonlyArray<string>>> = {
      2018: ["2018-07-03", "2018-11-23", "2018-12-24"],
      2020: ["2020-11-27", "2020-12-24"],
      2021: ["2021-11-26"],
      2022: ["2022-11-25"],
      2023: ["2023-07-03", "2023-11-24"],
      2024: ["2024-07-03", "2024-11-29", "2024-12-24"],
      2025: ["2025-07-03", "2025-11-28", "2025-12-24"],
      2026: ["2026-11-27", "2026-12-24"],
      2027: ["2027-11-26"],
      2028: ["2028-07-03", "2028-11-24"]
    }
    for (const [one, dates] of Object.entries(announced)) {
      expect([...year(Number(one))!.early]).toStrictEqual(dates.map((date) => [date, "13:00"]))
    }
  })

  it("says nothing of other years", () => {
    expect(year(covers.from - 1)).toBeUndefined()
    expect(year(covers.to + 1)).toBeUndefined()
    expect(year(Number.NaN)).toBeUndefined()
  })
})
