/** Writes the bundled tables that are packages' data, in little room. A test tells when they are not what this writes. */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { data } from "currency-codes"
import { getHolidays } from "nyse-holidays"
import manifest from "../package.json" with { type: "json" }

/** The years that the calendar of the United States covers. */
const years = { from: 2015, to: 2030 }

const header = (name: keyof typeof manifest.devDependencies, rights: string): string =>
  `// Written by \`npm run tables\` from ${name} ${manifest.devDependencies[name]}: ${rights}.\n`

const currencies = (): string => {
  const lines = data.map(({ code, currency, digits, number }) => `${code} ${number} ${digits} ${currency.trim()}`)
  return `${header("currency-codes", "(c) 2018 Tobias Baunbæk Christensen, MIT licence")}
/** ISO 4217: code, number, digits behind the point, and name, one currency to a line. */
export const iso4217 = \`${lines.join("\n")}\`\n`
}

const holidays = (): string => {
  const lines = Array.from({ length: years.to - years.from + 1 }, (_, offset) => {
    const year = years.from + offset
    const days = getHolidays(year).map(({ dateString }) => dateString)
    const strange = days.find((day) => !day.startsWith(`${year}-`))
    if (strange !== undefined) throw new RangeError(`${strange} is no day of ${year}`)
    return `  ${year}: "${days.map((day) => day.slice(5)).join(" ")}"`
  })
  return `${header("nyse-holidays", "(c) 2021 Tse Kit Yam, MIT licence")}
/** Holidays of the New York Stock Exchange by year: months and days. */
export const nyseHolidays: Readonly<Record<number, string>> = {\n${lines.join(",\n")}\n}\n`
}

/** Texts of the files, by path from here. */
export const tables: Readonly<Record<string, () => string>> = {
  "../src/layers/static-data/internal/iso4217Table.ts": currencies,
  "../src/layers/static-data/internal/nyseHolidayTable.ts": holidays
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(tables)) writeFileSync(new URL(path, import.meta.url), text())
}
