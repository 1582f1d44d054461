import { describe, expect, it } from "vitest"
import { kinds } from "../../../src/entry/http/problem.ts"
import { unusedFor } from "../../../src/layers/static-data/internal/DerivedTables.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import { isDate, weekdayOf } from "../../../src/services/static-data/model/ZonedTime.ts"
import { defaultStaticBytes } from "../../../src/services/static-data/StaticSettings.ts"

const open = (capacityBytes = defaultStaticBytes) => {
  const clock = { now: Date.UTC(2026, 10, 21) }
  return { clock, data: StaticDataBundled.make(capacityBytes, () => clock.now) }
}

const { data } = open()

const sessionOf = (exchange: string, date: string) => {
  const session = data.session(exchange, date)
  if (typeof session === "string") return session
  return [new Date(session.open).toISOString(), new Date(session.close).toISOString(), session.early] as const
}

describe("the tables", () => {
  it("name 60 stocks and 12 funds once each, with sectors, exchanges and currencies that there are", () => {
    const of = (ids: ReadonlyArray<string>) => new Set(ids)
    const exchanges = of(data.exchanges.map(({ id }) => id))
    const currencies = of(data.currencies.map(({ code }) => code))
    const sectors = of(data.sectors.map(({ id }) => id))
    expect(of(data.symbols.map(({ symbol }) => symbol)).size).toBe(data.symbols.length)
    expect(data.symbols.filter(({ kind }) => kind === "stock").length).toBe(60)
    for (const row of data.symbols) {
      expect(row.symbol).toMatch(/^[A-Z]{1,5}(\.[A-Z])?$/)
      expect(row.name).not.toBe("")
      expect(exchanges).toContain(row.exchange)
      expect(currencies).toContain(row.currency)
      if (row.kind === "market") expect(row.sector).toBeNull()
      else expect(sectors).toContain(row.sector)
    }
    expect(data.symbols.filter(({ kind }) => kind === "market").map(({ symbol }) => symbol)).toStrictEqual(["SPY"])
    for (const symbol of ["AAPL", "MSFT", "NVDA"]) expect(data.symbol(symbol)?.sector).toBe("information-technology")
  })

  it("have the 11 sectors of GICS, each with its fund and four stocks at least", () => {
    expect(data.sectors.length).toBe(11)
    expect(new Set(data.sectors.map(({ gics }) => gics)).size).toBe(11)
    for (const { etf, id } of data.sectors) {
      expect(data.symbol(etf)).toMatchObject({ sector: id, kind: "sector" })
      expect(data.symbolsIn(id).length).toBeGreaterThanOrEqual(4)
      expect(data.symbolsIn(id).every((row) => row.sector === id && row.kind === "stock")).toBe(true)
    }
    expect(data.symbolsIn("no sector")).toStrictEqual([])
  })

  it("know currencies by ISO 4217, and exchanges by theirs", () => {
    const currency = (code: string) => data.currencies.find((row) => row.code === code)
    expect(currency("USD")).toStrictEqual({
      code: "USD",
      number: "840",
      name: "US Dollar",
      digits: 2,
      withdrawn: null
    })
    expect(data.table("currencies").edition).toBe("2026-01-01")
    expect(data.table("sectors").edition).toBeUndefined()
    expect(currency("JPY")?.digits).toBe(0)
    expect(currency("KWD")?.digits).toBe(3)
    for (const row of data.exchanges) {
      expect(currency(row.currency)).toBeDefined()
      expect(row.open < row.close).toBe(true)
    }
  })

  it("list the holidays of every year that a calendar covers: weekdays of that year", () => {
    const { rows } = data.table("holidays")
    for (const { covers, id } of data.exchanges) {
      const years = rows.filter((row) => row.exchange === id).map(({ year }) => year)
      expect(years).toStrictEqual(Array.from({ length: covers.to - covers.from + 1 }, (_, at) => covers.from + at))
    }
    for (const { closed, early, exchange, year } of rows) {
      const shortened = early.map(({ date }) => date)
      for (const date of [...closed, ...shortened]) {
        expect(isDate(date) && date.startsWith(`${year}-`) && weekdayOf(date) % 6 !== 0).toBe(true)
      }
      expect(new Set([...closed, ...shortened]).size).toBe(closed.length + shortened.length)
      for (const date of closed) expect(data.session(exchange, date)).toBe("closed")
      for (const date of shortened) expect(data.session(exchange, date)).toMatchObject({ early: true })
    }
  })

  it("have error texts for the problems they are named after", () => {
    for (const { id, status, title } of data.table("errors").rows) {
      if (Object.hasOwn(kinds, id)) expect(kinds[id as keyof typeof kinds]).toStrictEqual([status, title])
    }
    expect(data.message("no-such-symbol", { symbol: "$&" })).toBe('"$&" is not one of the symbols')
    expect(() => data.message("nothing", {})).toThrow()
  })

  it("change their version with their content only", () => {
    const versions = data.tables.map((name) => data.table(name).version)
    expect(versions).toStrictEqual(data.tables.map((name) => open().data.table(name).version))
    expect(new Set(versions).size).toBe(versions.length)
    for (const version of versions) expect(version).toMatch(/^[0-9a-f]{8}$/)
  })
})

describe("New York", () => {
  it("keeps the holidays that NYSE announced for 2024 to 2027", () => {
    const holidays = `
      2024-01-01 2024-01-15 2024-02-19 2024-03-29 2024-05-27 2024-06-19 2024-07-04 2024-09-02 2024-11-28 2024-12-25
      2025-01-01 2025-01-09 2025-01-20 2025-02-17 2025-04-18 2025-05-26 2025-06-19 2025-07-04 2025-09-01 2025-11-27
      2025-12-25 2026-01-01 2026-01-19 2026-02-16 2026-04-03 2026-05-25 2026-06-19 2026-07-03 2026-09-07 2026-11-26
      2026-12-25 2027-01-01 2027-01-18 2027-02-15 2027-03-26 2027-05-31 2027-06-18 2027-07-05 2027-09-06 2027-11-25
      2027-12-24`.match(/\S+/g)!
    for (const exchange of ["XNYS", "XNAS", "ARCX"]) {
      const rows = data.table("holidays").rows.filter((row) => row.exchange === exchange)
      const closed = rows.filter(({ year }) => year >= 2024 && year <= 2027).flatMap((row) => row.closed)
      expect(closed).toStrictEqual(holidays)
    }
  })

  it("opens at 9:30 in winter and in summer, also in the weeks when London has not moved its clocks", () => {
    expect(sessionOf("XNYS", "2026-03-06")).toStrictEqual([
      "2026-03-06T14:30:00.000Z",
      "2026-03-06T21:00:00.000Z",
      false
    ])
    expect(sessionOf("XNYS", "2026-03-09")).toStrictEqual([
      "2026-03-09T13:30:00.000Z",
      "2026-03-09T20:00:00.000Z",
      false
    ])
    expect(sessionOf("XLON", "2026-03-09")).toStrictEqual([
      "2026-03-09T08:00:00.000Z",
      "2026-03-09T16:30:00.000Z",
      false
    ])
    expect(sessionOf("XLON", "2026-03-30")).toStrictEqual([
      "2026-03-30T07:00:00.000Z",
      "2026-03-30T15:30:00.000Z",
      false
    ])
    expect(sessionOf("XNYS", "2026-10-30")).toStrictEqual([
      "2026-10-30T13:30:00.000Z",
      "2026-10-30T20:00:00.000Z",
      false
    ])
    expect(sessionOf("XNYS", "2026-11-02")).toStrictEqual([
      "2026-11-02T14:30:00.000Z",
      "2026-11-02T21:00:00.000Z",
      false
    ])
  })

  it("closes at 13:00 on the day after Thanksgiving, and on Christmas Eve", () => {
    expect(sessionOf("XNAS", "2026-11-27")).toStrictEqual([
      "2026-11-27T14:30:00.000Z",
      "2026-11-27T18:00:00.000Z",
      true
    ])
    expect(sessionOf("XNAS", "2026-12-24")).toStrictEqual([
      "2026-12-24T14:30:00.000Z",
      "2026-12-24T18:00:00.000Z",
      true
    ])
    expect(data.isOpen("XNYS", Date.parse("2026-11-27T17:59:59Z"))).toBe(true)
    expect(data.isOpen("XNYS", Date.parse("2026-11-27T18:00:00Z"))).toBe(false)
  })
})

describe("other exchanges", () => {
  it("London and Frankfurt trade on the American holidays, and New York on theirs", () => {
    expect(sessionOf("XLON", "2026-07-03")?.length).toBe(3)
    expect(data.session("XLON", "2026-12-28")).toBe("closed")
    expect(sessionOf("XLON", "2026-12-24")).toStrictEqual([
      "2026-12-24T08:00:00.000Z",
      "2026-12-24T12:30:00.000Z",
      true
    ])
    expect(data.session("XETR", "2026-05-01")).toBe("closed")
    expect(sessionOf("XETR", "2026-05-25")).toStrictEqual([
      "2026-05-25T07:00:00.000Z",
      "2026-05-25T15:30:00.000Z",
      false
    ])
  })

  it("Tokyo rests at midday, knows no summer time, and closes later since November 2024", () => {
    expect(sessionOf("XTKS", "2024-11-01")).toStrictEqual([
      "2024-11-01T00:00:00.000Z",
      "2024-11-01T06:00:00.000Z",
      false
    ])
    expect(sessionOf("XTKS", "2024-11-05")).toStrictEqual([
      "2024-11-05T00:00:00.000Z",
      "2024-11-05T06:30:00.000Z",
      false
    ])
    expect(data.isOpen("XTKS", Date.parse("2026-11-20T02:29:59Z"))).toBe(true)
    expect(data.isOpen("XTKS", Date.parse("2026-11-20T02:30:00Z"))).toBe(false)
    expect(data.isOpen("XTKS", Date.parse("2026-11-20T03:30:00Z"))).toBe(true)
    expect(data.session("XTKS", "2026-09-22")).toBe("closed")
  })

  it("Sydney's Monday is still Sunday in New York, and its summer the other one's winter", () => {
    expect(sessionOf("XASX", "2026-04-02")).toStrictEqual([
      "2026-04-01T23:00:00.000Z",
      "2026-04-02T05:00:00.000Z",
      false
    ])
    expect(sessionOf("XASX", "2026-04-07")).toStrictEqual([
      "2026-04-07T00:00:00.000Z",
      "2026-04-07T06:00:00.000Z",
      false
    ])
    const sunday = Date.parse("2026-11-22T23:30:00Z")
    expect(data.dateAt("XASX", sunday)).toBe("2026-11-23")
    expect(data.dateAt("XNYS", sunday)).toBe("2026-11-22")
    expect(data.isOpen("XASX", sunday)).toBe(true)
  })

  it("beyond its calendar, and where there is none, nothing is known", () => {
    for (const { covers, id } of data.exchanges) {
      expect(data.session(id, `${covers.from - 1}-06-02`)).toBe("unknown")
      expect(data.session(id, `${covers.to + 1}-06-02`)).toBe("unknown")
      expect(data.isOpen(id, Date.UTC(covers.to + 1, 5, 2, 15))).toBeUndefined()
      expect(data.tradingDays(id, `${covers.from}-01-10`, 20)).toBeUndefined()
    }
    expect(data.session("XXXX", "2026-06-02")).toBe("unknown")
    expect(data.isOpen("XXXX", 0)).toBeUndefined()
    expect(data.dateAt("XXXX", 0)).toBeUndefined()
    expect(data.isOpen("XNYS", Number.NaN)).toBeUndefined()
  })

  it("what an exchange has not announced is told by rule, and marked", () => {
    for (const { covers, id } of data.exchanges) {
      const marks = [`${covers.announcedTo}-06-02`, `${covers.announcedTo + 1}-06-05`, `${covers.to}-06-05`].map(
        (date) => {
          const session = data.session(id, date)
          return typeof session === "object" ? session.estimated : session
        }
      )
      expect(marks.filter((mark) => mark !== "closed").every((mark) => mark === true || mark === undefined)).toBe(true)
      expect(data.session(id, `${covers.announcedTo + 1}-01-01`)).toBe("closed")
    }
    expect(data.session("XETR", "2027-06-02")).toMatchObject({ early: false, estimated: true })
    expect(data.session("XETR", "2026-06-02")).not.toHaveProperty("estimated")
    expect(data.session("XASX", "2027-12-24")).toMatchObject({ early: true, estimated: true })
    const { rows } = data.table("holidays")
    expect(rows.find(({ id }) => id === "XASX-2026")?.estimated).toBe(false)
    expect(rows.find(({ id }) => id === "XASX-2027")?.estimated).toBe(true)
  })

  it("252 trading days lie behind a Saturday", () => {
    const days = data.tradingDays("XNYS", "2026-11-21", 252)!
    expect([days[0], days.at(-1), days.length]).toStrictEqual(["2025-11-20", "2026-11-20", 252])
  })
})

describe("bytes and statistics", () => {
  const useAll = (of: typeof data) => {
    for (const key of of.keys()) expect(of.entry("static", key)).toBeDefined()
    for (const { id } of of.exchanges) of.tradingDays(id, "2026-06-30", 252)
    for (const { id } of of.sectors) of.symbolsIn(id)
  }

  it("stay within the cap whatever is asked, down to the least that the settings allow", () => {
    for (const capacity of [128 * 1024, 160_000, 256 * 1024, defaultStaticBytes]) {
      const { data } = open(capacity)
      useAll(data)
      useAll(data)
      expect(data.stats().bytes).toBeLessThanOrEqual(capacity)
    }
  })

  it("leave nothing but the tables once nobody has asked for five minutes", () => {
    const { clock, data } = open()
    const bundled = data.stats().bytes
    useAll(data)
    const { built, bytes, derived } = data.stats()
    expect(bytes).toBeGreaterThan(bundled)
    expect(derived.length).toBeGreaterThan(10)
    expect(data.sweep(clock.now + unusedFor - 1)).toBe(0)
    expect(data.sweep(clock.now + unusedFor)).toBe(derived.length)
    expect(data.stats()).toMatchObject({ bytes: bundled, derived: [], dropped: built })
    useAll(data)
  })

  it("count who was asked, when, and who was not found", () => {
    const { clock, data } = open()
    data.symbol("aapl")
    data.symbol("NOPE")
    data.table("nope")
    clock.now += 1000
    data.entry("static", "sectors")
    data.entry("static", "sectors/nope")
    data.entry("static", "nope/AAPL")
    data.entry("other", "sectors")
    const { hits, misses, tables } = data.stats()
    expect([hits, misses]).toStrictEqual([2, 4])
    expect(tables.find(({ name }) => name === "symbols")).toMatchObject({ reads: 1, lastReadAt: clock.now - 1000 })
    expect(tables.find(({ name }) => name === "sectors")).toMatchObject({ reads: 1, lastReadAt: clock.now })
    expect(tables.find(({ name }) => name === "errors")).toMatchObject({ reads: 0, lastReadAt: null })
  })

  it("an entry is made once: the same bytes, under every key that is listed", () => {
    const { data } = open()
    const entry = data.entry("static", "symbols/AAPL")!
    expect(data.entry("static", "symbols/AAPL")).toBe(entry)
    expect(JSON.parse(new TextDecoder().decode(entry.value))).toStrictEqual(data.symbol("AAPL"))
    const table = JSON.parse(new TextDecoder().decode(data.entry("static", "sectors")!.value)) as { rows: unknown }
    expect(table.rows).toStrictEqual(data.sectors)
  })
})
