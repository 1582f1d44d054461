/** Writes the bundled tables that are packages' data, in little room. A test tells when they are not what this writes. */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { data, publishDate } from "currency-codes"
import { getHolidays } from "nyse-holidays"
import manifest from "../package.json" with { type: "json" }

/** The years that the calendar of the United States covers. */
const years = { from: 2015, to: 2030 }

const header = (name: keyof typeof manifest.devDependencies, rights: string): string =>
  `// Written by \`npm run tables\` from ${name} ${manifest.devDependencies[name]}: ${rights}.\n`

/** What ISO 4217 has amended since the edition of the package, by the amendment's number. */
export const amendments: ReadonlyArray<
  | { readonly code: string; readonly number: string; readonly digits: number; readonly name: string }
  | { readonly code: string; readonly withdrawn: string }
> = [
  // 176: the Caribbean guilder takes the place and the number of the Netherlands Antillean one, beside it for 3 months.
  { code: "XCG", number: "532", digits: 2, name: "Caribbean Guilder" },
  { code: "ANG", withdrawn: "2025-07-01" },
  // 178: list one had kept it for years.
  { code: "CUC", withdrawn: "2021-07-01" },
  // 179: of the Arab Monetary Fund.
  { code: "XAD", number: "396", digits: 2, name: "Arab Accounting Dinar" },
  // 180: Bulgaria has the euro.
  { code: "BGN", withdrawn: "2026-01-01" }
]

/** The edition that the package and the amendments come to: `Pblshd` of list one. */
export const edition = "2026-01-01"

/** What is wrong with the amendments beside the package's own edition; undefined when nothing is. */
export const outdatedBy = (packaged: string): string | undefined =>
  packaged <= basis
    ? undefined
    : `currency-codes has the edition of ${packaged}, the table is made for that of ${basis}: drop the amendments that it holds, raise \`basis\` and \`edition\``

/** The package's edition that the amendments build on. */
const basis = "2024-06-25"

const currencies = (): string => {
  const outdated = outdatedBy(publishDate)
  if (outdated !== undefined) throw new Error(outdated)
  const rows = new Map(
    data.map(({ code, currency, digits, number }) => [code, `${number} ${digits} ${currency.trim()}`])
  )
  for (const one of amendments) {
    if ("number" in one) rows.set(one.code, `${one.number} ${one.digits} ${one.name}`)
    else rows.set(one.code, `${rows.get(one.code)} | ${one.withdrawn}`)
  }
  const lines = [...rows].map(([code, rest]) => `${code} ${rest}`).sort()
  return `${header("currency-codes", "(c) 2018 Tobias Baunbæk Christensen, MIT licence")}
/** The edition of ISO 4217's list one. */
export const iso4217Edition = "${edition}"

/** Code, number, digits behind the point, name, and behind a bar the date of withdrawal, one currency to a line. */
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
