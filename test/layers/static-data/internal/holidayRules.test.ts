import { describe, expect, it } from "vitest"
import * as Dated from "../../../../src/layers/static-data/internal/datedTradingYears.ts"
import * as Rules from "../../../../src/layers/static-data/internal/holidayRules.ts"
import * as Us from "../../../../src/layers/static-data/internal/usTradingYears.ts"
import { weekdayOf } from "../../../../src/services/static-data/model/ZonedTime.ts"

const sorted = (year: { readonly closed: ReadonlySet<string>; readonly early: ReadonlyMap<string, string> }) => ({
  closed: [...year.closed].sort(),
  early: [...year.early].sort()
})

describe("the rules of holidays", () => {
  const announced = {
    london: [Dated.london, Rules.london],
    frankfurt: [Dated.frankfurt, Rules.frankfurt],
    tokyo: [Dated.tokyo, Rules.tokyo],
    sydney: [Dated.sydney, Rules.sydney]
  } as const
  for (const [name, [dated, rule]] of Object.entries(announced)) {
    it(`make every year of ${name} as the exchange announced it`, () => {
      const { announcedTo, from } = Dated.covers(dated)
      for (let year = from; year <= announcedTo; year++) {
        expect(sorted(rule(year)), String(year)).toStrictEqual(sorted(Dated.year(dated, rule, year)!))
      }
    })

    it(`go on in ${name} beyond that`, () => {
      const { announcedTo, to } = Dated.covers(dated)
      for (let year = announcedTo + 1; year <= to; year++) {
        const { closed, early } = Dated.year(dated, rule, year)!
        expect(closed.size).toBeGreaterThanOrEqual(3)
        for (const date of [...closed, ...early.keys()]) {
          expect(date.startsWith(`${year}-`) && weekdayOf(date) % 6 !== 0, date).toBe(true)
        }
        for (const date of early.keys()) expect(closed.has(date)).toBe(false)
      }
    })
  }

  it("make New York's years as the package has them, but for days of mourning", () => {
    const mourning = ["2018-12-05", "2025-01-09"]
    for (let year = Us.covers.from; year <= 2030; year++) {
      const known = sorted(Us.year(year)!)
      const closed = known.closed.filter((date) => !mourning.includes(date))
      expect(sorted(Rules.newYork(year)), String(year)).toStrictEqual({ ...known, closed })
    }
  })

  const easters: ReadonlyArray<string> = [
    "1818-03-22",
    "1943-04-25",
    "2000-04-23",
    "2008-03-23",
    "2011-04-24",
    "2024-03-31",
    "2026-04-05",
    "2038-04-25",
    "2049-04-18",
    "2285-03-22"
  ]
  for (const date of easters)
    it(`have Easter on ${date}`, () => expect(Rules.easter(Number(date.slice(0, 4)))).toBe(date))

  const days: ReadonlyArray<readonly [what: string, rule: Rules.HolidayRule, date: string]> = [
    ["Christmas on a Saturday moves to Monday, and Boxing Day to Tuesday", Rules.london, "2032-12-28"],
    ["an early close before a Christmas that follows a weekend", Rules.london, "2028-12-22"],
    ["Xetra's last day, when the year ends on a weekend", Rules.frankfurt, "2028-12-29"],
    ["Australia Day on a Sunday", Rules.sydney, "2031-01-27"],
    ["a day between two holidays in Japan", Rules.tokyo, "2032-09-21"],
    ["Juneteenth on a Saturday", Rules.newYork, "2032-06-18"]
  ]
  for (const [what, rule, date] of days) {
    it(`know ${what}: ${date}`, () => {
      const { closed, early } = rule(Number(date.slice(0, 4)))
      expect(closed.has(date) || early.has(date)).toBe(true)
    })
  }
})
