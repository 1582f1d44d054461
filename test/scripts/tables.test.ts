import { readFileSync } from "node:fs"
import { data, publishDate } from "currency-codes"
import { getHolidays } from "nyse-holidays"
import { describe, expect, it } from "vitest"
import { amendments, edition, outdatedBy, tables } from "../../scripts/tables.ts"
import { iso4217, iso4217Edition } from "../../src/layers/static-data/internal/iso4217Table.ts"
import { nyseHolidays } from "../../src/layers/static-data/internal/nyseHolidayTable.ts"
import { currencies } from "../../src/layers/static-data/internal/smallTables.ts"
import { covers, year } from "../../src/layers/static-data/internal/usTradingYears.ts"

describe("the bundled tables", () => {
  for (const [path, text] of Object.entries(tables)) {
    it(`${path.split("/").at(-1)} is what \`npm run tables\` writes`, () => {
      expect(readFileSync(new URL(`../../scripts/${path}`, import.meta.url), "utf8")).toBe(text())
    })
  }

  it("read every currency as the package has it, but for what was amended since", () => {
    const amended = new Map(amendments.map((one) => [one.code, one]))
    for (const { code, currency, digits, number } of data) {
      const one = amended.get(code)
      const withdrawn = one !== undefined && "withdrawn" in one ? one.withdrawn : null
      expect(currencies).toContainEqual({ code, number, name: currency.trim(), digits, withdrawn })
    }
    for (const one of amendments) {
      if ("number" in one) expect(currencies).toContainEqual({ ...one, withdrawn: null })
    }
    expect(currencies).toHaveLength(data.length + amendments.filter((one) => "number" in one).length)
    expect(iso4217.split("\n")).toHaveLength(currencies.length)
    expect(new Set(currencies.map(({ code }) => code)).size).toBe(currencies.length)
  })

  it("say which edition of ISO 4217 they are, and fail with a package that has a newer one", () => {
    expect(iso4217Edition).toBe(edition)
    expect(outdatedBy(publishDate)).toBeUndefined()
    for (const newer of ["2024-06-26", "2025-05-12", "2026-01-01", "2031-01-01"]) {
      expect(outdatedBy(newer)).toContain(`currency-codes has the edition of ${newer}`)
    }
  })

  it("date what was withdrawn: one currency at a time has a number", () => {
    const current = currencies.filter(({ withdrawn }) => withdrawn === null)
    expect(new Set(current.map(({ number }) => number)).size).toBe(current.length)
    const dated = Object.fromEntries(
      currencies.flatMap(({ code, withdrawn }) => (withdrawn ? [[code, withdrawn]] : []))
    )
    expect(dated).toStrictEqual({ ANG: "2025-07-01", BGN: "2026-01-01", CUC: "2021-07-01" })
    expect(current.find(({ code }) => code === "XCG")).toMatchObject({ number: "532", digits: 2 })
  })

  it("close New York on every holiday that the package has, in every year that is covered", () => {
    for (let one = covers.from; one <= 2030; one++) {
      const dates = getHolidays(one).map(({ dateString }) => dateString)
      expect([...year(one)!.closed]).toEqual(expect.arrayContaining(dates))
      expect(nyseHolidays[one]!.split(" ").map((day) => `${one}-${day}`)).toStrictEqual(dates)
    }
    expect(covers).toStrictEqual({ from: 2015, to: 2035, announcedTo: 2028 })
    for (let one = covers.from; one <= covers.to; one++) expect(year(one)!.estimated).toBe(one > 2028)
  })
})
