import type { ExchangeRow } from "../../services/StaticData.ts"
import type { TradingCalendar } from "../../services/TradingCalendar.ts"
import * as Dated from "./datedTradingYears.ts"
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
  listed(
    {
      id: "XLON",
      name: "London Stock Exchange",
      country: "GB",
      currency: "GBP",
      zone: "Europe/London",
      open: "08:00",
      close: "16:30",
      covers: Dated.covers(Dated.london)
    },
    (year) => Dated.year(Dated.london, year)
  ),
  listed(
    {
      id: "XETR",
      name: "Xetra",
      country: "DE",
      currency: "EUR",
      zone: "Europe/Berlin",
      open: "09:00",
      close: "17:30",
      covers: Dated.covers(Dated.frankfurt)
    },
    (year) => Dated.year(Dated.frankfurt, year)
  ),
  listed(
    {
      id: "XTKS",
      name: "Tokyo Stock Exchange",
      country: "JP",
      currency: "JPY",
      zone: "Asia/Tokyo",
      open: "09:00",
      close: "15:30",
      pause: lunch,
      covers: Dated.covers(Dated.tokyo)
    },
    (year) => Dated.year(Dated.tokyo, year),
    // Half an hour longer since arrowhead 4.0.
    (date) => ({ open: "09:00", close: date < "2024-11-05" ? "15:00" : "15:30", pause: [lunch.from, lunch.to] })
  ),
  listed(
    {
      id: "XASX",
      name: "Australian Securities Exchange",
      country: "AU",
      currency: "AUD",
      zone: "Australia/Sydney",
      open: "10:00",
      close: "16:00",
      covers: Dated.covers(Dated.sydney)
    },
    (year) => Dated.year(Dated.sydney, year)
  )
]
