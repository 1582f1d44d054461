import { readFileSync } from "node:fs"
import { data } from "currency-codes"
import { getHolidays } from "nyse-holidays"
import { describe, expect, it } from "vitest"
import { tables } from "../../scripts/tables.ts"
import { iso4217 } from "../../src/layers/static-data/internal/iso4217Table.ts"
import { nyseHolidays } from "../../src/layers/static-data/internal/nyseHolidayTable.ts"
import { currencies } from "../../src/layers/static-data/internal/smallTables.ts"
import { covers, year } from "../../src/layers/static-data/internal/usTradingYears.ts"

describe("the bundled tables", () => {
  for (const [path, text] of Object.entries(tables)) {
    it(`${path.split("/").at(-1)} is what \`npm run tables\` writes`, () => {
      expect(readFileSync(new URL(`../../scripts/${path}`, import.meta.url), "utf8")).toBe(text())
    })
  }

  it("read every currency as the package has it, in its order", () => {
    const named = data.map(({ code, currency, digits, number }) => ({ code, number, name: currency.trim(), digits }))
    expect(currencies).toStrictEqual(named)
    expect(iso4217.split("\n")).toHaveLength(named.length)
  })

  it("close New York on every holiday that the package has, in every year that is covered", () => {
    for (let one = covers.from; one <= covers.to; one++) {
      const dates = getHolidays(one).map(({ dateString }) => dateString)
      expect([...year(one)!.closed]).toEqual(expect.arrayContaining(dates))
      expect(nyseHolidays[one]!.split(" ").map((day) => `${one}-${day}`)).toStrictEqual(dates)
    }
    expect(covers).toStrictEqual({ from: 2015, to: 2030 })
  })
})
