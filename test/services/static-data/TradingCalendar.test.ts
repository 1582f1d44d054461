import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import {
  isInside,
  openAt,
  sessionOn,
  type TradingCalendar,
  type TradingSession,
  tradingDays
} from "../../../src/services/static-data/model/TradingCalendar.ts"
import { isDate, localDate, shiftDate, weekdayOf } from "../../../src/services/static-data/model/ZonedTime.ts"
import { runs } from "../../support/runs.ts"

/** Holidays and early closes at random, in zones that move their clocks in opposite months. */
const calendars: fc.Arbitrary<TradingCalendar> = fc
  .record({
    zone: fc.constantFrom("America/New_York", "Europe/London", "Australia/Sydney", "Asia/Tokyo", "America/St_Johns"),
    closed: fc.array(fc.integer({ min: 0, max: 730 }), { maxLength: 60 }),
    early: fc.array(fc.integer({ min: 0, max: 730 }), { maxLength: 60 }),
    pause: fc.boolean()
  })
  .map(({ closed, early, pause, zone }) => {
    const days = (offsets: ReadonlyArray<number>) => offsets.map((offset) => shiftDate("2025-01-01", offset))
    const year = { closed: new Set(days(closed)), early: new Map(days(early).map((date) => [date, "13:00"])) }
    return {
      zone,
      hours: () => ({ open: "09:30", close: "16:00", ...(pause ? { pause: ["11:30", "12:30"] as const } : {}) }),
      year: (asked) => (asked === 2025 || asked === 2026 ? year : undefined)
    }
  })

const dates = fc.integer({ min: 0, max: 729 }).map((offset) => shiftDate("2025-01-01", offset))

const moments = fc.integer({ min: Date.UTC(2025, 0, 2), max: Date.UTC(2026, 11, 30) })

const isSession = (found: TradingSession | "closed" | "unknown"): found is TradingSession => typeof found === "object"

describe("a trading calendar", () => {
  it("opens a session before it closes it, on its own day, in the hours that its clocks show", () => {
    fc.assert(
      fc.property(calendars, dates, (calendar, date) => {
        const session = sessionOn(calendar, date)
        if (!isSession(session)) return
        expect(session.open).toBeLessThan(session.close)
        expect(localDate(calendar.zone, session.open)).toBe(date)
        expect(localDate(calendar.zone, session.close)).toBe(date)
        const hour = (at: number) =>
          new Date(at).toLocaleTimeString("sv-SE", { timeZone: calendar.zone, timeStyle: "short" })
        expect(hour(session.open)).toBe("09:30")
        expect(hour(session.close)).toBe(session.early ? "13:00" : "16:00")
        expect(session.early).toBe(calendar.year(2025)?.early.has(date))
        const { pause = { from: session.open, to: session.open } } = session
        expect(session.open <= pause.from && pause.to < session.close).toBe(true)
      }),
      { numRuns: runs(500) }
    )
  })

  it("has no session on weekends and holidays, and knows nothing of other years", () => {
    fc.assert(
      fc.property(calendars, dates, (calendar, date) => {
        const free = weekdayOf(date) % 6 === 0 || calendar.year(2025)!.closed.has(date)
        expect(isSession(sessionOn(calendar, date))).toBe(!free)
        if (free) expect(sessionOn(calendar, date)).toBe("closed")
      })
    )
    const [calendar] = fc.sample(calendars, 1)
    for (const date of ["2024-12-31", "2027-01-04", "2026-02-30", "today"]) {
      expect(sessionOn(calendar!, date)).toBe("unknown")
    }
  })

  it("is open exactly inside a session", () => {
    fc.assert(
      fc.property(calendars, moments, (calendar, at) => {
        const session = (date: string) => sessionOn(calendar, date)
        const day = new Date(at).toISOString().slice(0, 10)
        const around = [-1, 0, 1].map((days) => session(shiftDate(day, days))).filter(isSession)
        expect(openAt(calendar, session, at)).toBe(around.some((one) => isInside(one, at)))
      }),
      { numRuns: runs(1000) }
    )
  })

  it("is open from the first moment of a session until before its close, but not in its pause", () => {
    fc.assert(
      fc.property(calendars, dates, (calendar, date) => {
        const session = (of: string) => sessionOn(calendar, of)
        const found = session(date)
        if (!isSession(found)) return
        const open = (at: number) => openAt(calendar, session, at)
        expect([found.open - 1, found.open, found.close - 1, found.close].map(open)).toStrictEqual([
          false,
          true,
          true,
          false
        ])
        if (found.pause === undefined) return
        const { from, to } = found.pause
        expect([from - 1, from, to - 1, to].map(open)).toStrictEqual([true, false, false, true])
      })
    )
  })

  it("says nothing of a moment whose day it does not know", () => {
    const [calendar] = fc.sample(calendars, 1)
    const session = (date: string) => sessionOn(calendar!, date)
    for (const at of [Date.UTC(2024, 6, 1), Date.UTC(2028, 0, 1), Number.NaN]) {
      expect(openAt(calendar!, session, at)).toBeUndefined()
    }
  })

  it("gives the last days with a session, all of them and no other", () => {
    fc.assert(
      fc.property(calendars, dates, fc.integer({ min: 0, max: 60 }), (calendar, date, count) => {
        const session = (of: string) => sessionOn(calendar, of)
        const days = tradingDays(session, date, count)
        if (days === undefined) {
          expect(date < "2025-06-15").toBe(true)
          return
        }
        expect(days.length).toBe(count)
        expect(days.every((day) => isDate(day) && isSession(session(day)))).toBe(true)
        expect([...days].sort()).toStrictEqual(days)
        if (count === 0) return
        for (let day = date; day > days[0]!; day = shiftDate(day, -1)) {
          expect(days.includes(day)).toBe(isSession(session(day)))
        }
      })
    )
  })
})
