import type { TradingCalendar } from "../../../services/static-data/model/TradingCalendar.ts"
import type { ExchangeRow } from "../../../services/static-data/StaticData.ts"
import * as Dated from "./datedTradingYears.ts"
import * as Rules from "./holidayRules.ts"
import * as Us from "./usTradingYears.ts"

/** An exchange, and the calendar it may share with others. */
export interface Listed {
  readonly row: ExchangeRow
  readonly calendar: TradingCalendar
}

const listed = (
  row: Omit<ExchangeRow, "pause"> & { readonly pause?: ExchangeRow["pause"] },
  year: TradingCalendar["year"],
  hours: TradingCalendar["hours"] = () => ({ open: row.open, close: row.close })
): Listed => ({ row: { ...row, pause: row.pause ?? null }, calendar: { zone: row.zone, year, hours } })

/** One whose days off are a table of dates, and go on by a rule. */
const dated = (
  table: Dated.Dated,
  rule: Rules.HolidayRule,
  row: Omit<Parameters<typeof listed>[0], "covers">,
  hours?: TradingCalendar["hours"]
): Listed => listed({ ...row, covers: Dated.covers(table) }, (year) => Dated.year(table, rule, year), hours)

const american = (id: string, name: string): Listed => ({
  row: { ...newYork.row, id, name },
  calendar: newYork.calendar
})

const newYork = listed(
  {
    id: "XNYS",
    name: "New York Stock Exchange",
    country: "US",
    currency: "USD",
    zone: "America/New_York",
    open: "09:30",
    close: "16:00",
    covers: Us.covers
  },
  Us.year
)

const lunch = { from: "11:30", to: "12:30" }

export const exchanges: ReadonlyArray<Listed> = [
  newYork,
  american("XNAS", "Nasdaq"),
  american("ARCX", "NYSE Arca"),
  dated(Dated.london, Rules.london, {
    id: "XLON",
    name: "London Stock Exchange",
    country: "GB",
    currency: "GBP",
    zone: "Europe/London",
    open: "08:00",
    close: "16:30"
  }),
  dated(Dated.frankfurt, Rules.frankfurt, {
    id: "XETR",
    name: "Xetra",
    country: "DE",
    currency: "EUR",
    zone: "Europe/Berlin",
    open: "09:00",
    close: "17:30"
  }),
  dated(
    Dated.tokyo,
    Rules.tokyo,
    {
      id: "XTKS",
      name: "Tokyo Stock Exchange",
      country: "JP",
      currency: "JPY",
      zone: "Asia/Tokyo",
      open: "09:00",
      close: "15:30",
      pause: lunch
    },
    // Half an hour longer since arrowhead 4.0.
    (date) => ({ open: "09:00", close: date < "2024-11-05" ? "15:00" : "15:30", pause: [lunch.from, lunch.to] })
  ),
  dated(Dated.sydney, Rules.sydney, {
    id: "XASX",
    name: "Australian Securities Exchange",
    country: "AU",
    currency: "AUD",
    zone: "Australia/Sydney",
    open: "10:00",
    close: "16:00"
  })
]
