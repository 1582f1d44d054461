import type { CurrencyRow, ErrorRow, IntervalRow } from "../../../services/static-data/StaticData.ts"
import { iso4217 } from "./iso4217Table.ts"

/** ISO 4217: what the package currency-codes has, and what was amended since. */
export const currencies: ReadonlyArray<CurrencyRow> = iso4217.split("\n").map((line) => {
  const [code, number, digits, rest] = line.split(/ (\d+) (\d) /)
  const [name, withdrawn] = rest!.split(" | ")
  return { code: code!, number: number!, name: name!, digits: Number(digits), withdrawn: withdrawn ?? null }
})

const minute = 60
const day = 86_400

const interval = (id: string, name: string, seconds: number | null): IntervalRow => ({
  id,
  name,
  seconds,
  intraday: seconds !== null && seconds < day
})

export const intervals: ReadonlyArray<IntervalRow> = [
  interval("1m", "1 minute", minute),
  interval("2m", "2 minutes", 2 * minute),
  interval("5m", "5 minutes", 5 * minute),
  interval("15m", "15 minutes", 15 * minute),
  interval("30m", "30 minutes", 30 * minute),
  interval("1h", "1 hour", 60 * minute),
  interval("1d", "1 day", day),
  interval("5d", "5 days", 5 * day),
  interval("1wk", "1 week", 7 * day),
  interval("1mo", "1 month", null),
  interval("3mo", "3 months", null)
]

const error = (id: string, status: number, title: string, detail: string): ErrorRow => ({ id, status, title, detail })

const badParameter = "A parameter is not valid"

export const errors: ReadonlyArray<ErrorRow> = [
  error("no-such-symbol", 404, "There is no such symbol", '"{symbol}" is not one of the symbols'),
  error("no-such-table", 404, "There is no such table", '"{table}" is none of the tables {tables}'),
  error("unknown-sector", 400, badParameter, 'sector: "{sector}" is none of {sectors}'),
  error("unknown-exchange", 400, badParameter, 'exchange: "{exchange}" is none of {exchanges}'),
  error("bad-date", 400, badParameter, '{name}: "{value}" is not a date, as 2026-03-31'),
  error("date-ahead", 400, badParameter, "{name}: {value} lies ahead; the last day is {last}"),
  error("beyond-calendar", 400, badParameter, "{name}: the calendar of {exchange} covers {from} to {to}")
]
