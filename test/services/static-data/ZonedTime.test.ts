import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import {
  isDate,
  localDate,
  shiftDate,
  weekdayOf,
  zonedMillis
} from "../../../src/services/static-data/model/ZonedTime.ts"
import { runs } from "../../support/runs.ts"

/** Both hemispheres, half hours, a skipped day, summer time that begins at midnight, and none at all. */
const zones = [
  "America/New_York",
  "Europe/London",
  "Europe/Berlin",
  "Australia/Sydney",
  "Australia/Lord_Howe",
  "Asia/Tokyo",
  "Asia/Kolkata",
  "Asia/Beirut",
  "Pacific/Apia",
  "America/Sao_Paulo",
  "UTC"
]

const zone = fc.constantFrom(...zones)

const date = fc.date({ min: new Date("1995-01-01"), max: new Date("2040-01-01"), noInvalidDate: true })

/** What a clock in the zone shows, by another way than the one under test. */
const shown = (name: string, at: number): string =>
  new Date(at).toLocaleString("sv-SE", { timeZone: name, dateStyle: "short", timeStyle: "short" })

describe("a time zone", () => {
  it("shows the date and hour at the moment that is found for them, wherever there is one", () => {
    fc.assert(
      fc.property(zone, date, (name, moment) => {
        const wall = shown(name, moment.getTime())
        const at = zonedMillis(name, wall.slice(0, 10), wall.slice(11))
        expect(shown(name, at)).toBe(wall)
        expect(localDate(name, at)).toBe(wall.slice(0, 10))
      }),
      { numRuns: runs(2000) }
    )
  })

  it("shows an hour twice in autumn: the first is meant", () => {
    expect(zonedMillis("America/New_York", "2026-11-01", "01:30")).toBe(Date.parse("2026-11-01T01:30:00-04:00"))
    expect(zonedMillis("Australia/Sydney", "2026-04-05", "02:30")).toBe(Date.parse("2026-04-05T02:30:00+11:00"))
  })

  it("skips an hour in spring: as if the clock had not been moved", () => {
    expect(zonedMillis("America/New_York", "2026-03-08", "02:30")).toBe(Date.parse("2026-03-08T02:30:00-05:00"))
    expect(zonedMillis("Europe/London", "2026-03-29", "01:30")).toBe(Date.parse("2026-03-29T01:30:00+00:00"))
  })

  it("has no date for what is no moment", () => {
    for (const at of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15, -8.64e15]) {
      expect(localDate("Asia/Tokyo", at)).toBeUndefined()
    }
  })
})

describe("a date", () => {
  it("is one that exists", () => {
    for (const good of ["2024-02-29", "2000-02-29", "2026-12-31", "0100-03-01"]) expect(isDate(good)).toBe(true)
    for (const bad of ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "2026-04-31", "x", ""]) {
      expect(isDate(bad)).toBe(false)
    }
  })

  it("is shifted by days, and back", () => {
    fc.assert(
      fc.property(date, fc.integer({ min: -4000, max: 4000 }), (moment, days) => {
        const from = moment.toISOString().slice(0, 10)
        const to = shiftDate(from, days)
        expect(isDate(to)).toBe(true)
        expect(shiftDate(to, -days)).toBe(from)
        expect((weekdayOf(to) - weekdayOf(from) - days) % 7).toBeCloseTo(0)
      })
    )
    expect(weekdayOf("2026-11-21")).toBe(6)
  })
})
