import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { publishDailyReport } from "../../../src/programs/market/publishDailyReport.ts"
import { readReport } from "../../../src/programs/market/readReport.ts"
import { readSignals } from "../../../src/programs/market/readSignals.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { MarketData } from "../../../src/services/market/MarketData.ts"
import { dailyReports } from "../../../src/services/market/model/DailyReport.ts"
import { signals } from "../../../src/services/market/model/Signal.ts"
import { Repository } from "../../../src/services/repository/Repository.ts"
import { weekdayOf } from "../../../src/services/static-data/model/ZonedTime.ts"
import { StaticData } from "../../../src/services/static-data/StaticData.ts"
import { StoreError } from "../../../src/services/store/Store.ts"
import * as MarketFeeds from "../../support/market/marketFeeds.ts"
import * as ScriptedMarket from "../../support/market/scriptedMarket.ts"
import { runs } from "../../support/runs.ts"

type Needs = Layer.Layer.Success<ReturnType<typeof MarketFeeds.layer>>

const story = (name: string, tell: (told: ScriptedMarket.Script) => Effect.Effect<void, unknown, Needs>) =>
  it.effect(name, () => {
    const told = ScriptedMarket.script()
    return Effect.provide(tell(told), MarketFeeds.layer(told))
  })

const hour = 3_600_000
const settling = 10 * 60_000

/** Whenever the cron `15 17-23 * * MON-FRI` fires from a day on, in UTC, as long as said. */
const fires = (from: string, days: number): ReadonlyArray<number> =>
  Array.from({ length: days * 24 }, (_, at) => Date.parse(from) + at * hour + 15 * 60_000).filter((at) => {
    const weekday = weekdayOf(new Date(at).toISOString().slice(0, 10))
    return new Date(at).getUTCHours() >= 17 && weekday >= 1 && weekday <= 5
  })

/** What was published by each fire. */
const published = (times: ReadonlyArray<number>) =>
  Effect.map(
    Effect.forEach(times, (at) =>
      Effect.zipRight(
        TestClock.setTime(at),
        Effect.map(publishDailyReport, (done) =>
          Option.isSome(done) && done.value.published ? [{ at: new Date(at).toISOString(), ...done.value.report }] : []
        )
      )
    ),
    (each) => each.flat()
  )

describe("publishDailyReport", () => {
  story("a report a session, at the first fire after its close, on both sides of every change of the clocks", () =>
    Effect.gen(function* () {
      const brief = (reports: ReadonlyArray<{ readonly at: string; readonly date: string }>) =>
        reports.map(({ at, date }) => [date, at.slice(0, 16)])
      assert.deepStrictEqual(brief(yield* published(fires("2026-03-05", 7))).slice(1), [
        ["2026-03-05", "2026-03-05T21:15"],
        ["2026-03-06", "2026-03-06T21:15"],
        ["2026-03-09", "2026-03-09T20:15"],
        ["2026-03-10", "2026-03-10T20:15"],
        ["2026-03-11", "2026-03-11T20:15"]
      ])
      assert.deepStrictEqual(brief(yield* published(fires("2026-10-29", 6))).slice(1), [
        ["2026-10-29", "2026-10-29T20:15"],
        ["2026-10-30", "2026-10-30T20:15"],
        ["2026-11-02", "2026-11-02T21:15"],
        ["2026-11-03", "2026-11-03T21:15"]
      ])
    })
  )

  story("none on a holiday, and an early close is reported early", () =>
    Effect.gen(function* () {
      const week = yield* published(fires("2026-11-25", 6))
      assert.deepStrictEqual(
        week.slice(1).map(({ at, date, earlyClose }) => [date, at.slice(0, 16), earlyClose]),
        [
          ["2026-11-25", "2026-11-25T21:15", false],
          ["2026-11-27", "2026-11-27T18:15", true],
          ["2026-11-30", "2026-11-30T21:15", false]
        ]
      )
      assert.deepStrictEqual(yield* readReport("2026-11-26"), Option.none())
      const friday = Option.getOrThrow(yield* readReport("2026-11-27"))
      assert.strictEqual(friday.publishedAt, Date.UTC(2026, 10, 27, 18, 15))
    })
  )

  story("at whatever moment it runs, it reports the last session that is over, once", () =>
    Effect.gen(function* () {
      const data = yield* StaticData
      const repository = yield* Repository
      const seen = new Set<string>()
      const moments = fc.sample(fc.integer({ min: Date.UTC(2024, 0, 3), max: Date.UTC(2027, 11, 31) }), {
        numRuns: runs(25),
        seed: 11
      })
      for (const now of moments.sort((a, b) => a - b)) {
        yield* TestClock.setTime(now)
        const { published, report } = Option.getOrThrow(yield* publishDailyReport)
        const [before, last] = data.tradingDays("XNYS", report.date, 2)!
        assert.strictEqual(last, report.date)
        const next = data.tradingDays("XNYS", new Date(now + 5 * 24 * hour).toISOString().slice(0, 10), 8)!
        const closeOf = (date: string) => {
          const session = data.session("XNYS", date)
          return typeof session === "string" ? Number.NaN : session.close
        }
        assert.isAtLeast(now, closeOf(report.date) + settling)
        assert.isBelow(now, closeOf(next[next.indexOf(report.date) + 1]!) + settling)
        assert.strictEqual(published, !seen.has(report.date))
        seen.add(report.date)
        const again = Option.getOrThrow(yield* publishDailyReport)
        assert.deepStrictEqual(again, { published: false, report })
        const market = yield* MarketData
        const closes = (yield* market.history(["SPY"], { days: 2, upTo: report.date })).get("SPY")!
        assert.deepStrictEqual([closes[0]!.date, closes[1]!.date], [before, last])
        assert.strictEqual(report.market.close, closes[1]!.close)
        assert.closeTo(report.market.change, closes[1]!.close / closes[0]!.close - 1, 1e-12)
        assert.deepStrictEqual(yield* repository.get(dailyReports, report.date), Option.some(report))
      }
    })
  )

  story("it says how the day was: breadth, sectors and movers fit each other, and nothing is missing", () =>
    Effect.gen(function* () {
      const data = yield* StaticData
      const [report] = yield* published([Date.UTC(2026, 5, 10, 21, 15)])
      const { breadth, missing, movers, sectors, summary } = report!
      assert.strictEqual(breadth.up + breadth.down + breadth.unchanged, 60)
      assert.deepStrictEqual(new Set(sectors.map(({ id }) => id)), new Set(data.sectors.map(({ id }) => id)))
      const falling = (values: ReadonlyArray<number>) =>
        values.every((value, at) => at === 0 || value <= values[at - 1]!)
      assert.isTrue(falling(sectors.map(({ change }) => change)))
      assert.isTrue(falling(movers.up.map(({ change }) => change)))
      assert.isTrue(falling(movers.down.map(({ change }) => -change)))
      assert.isTrue(movers.up.every(({ change }) => change > 0) && movers.down.every(({ change }) => change < 0))
      assert.deepStrictEqual(missing, [])
      assert.include(summary, `${breadth.up} of 60 stocks rose`)
      assert.isNotNull(report!.sentiment)
    })
  )

  story("an outage of the provider: the fire after it publishes, and the missing are named", (told) =>
    Effect.gen(function* () {
      const [, first, second, third] = fires("2026-06-10", 1).filter((at) => at >= Date.UTC(2026, 5, 10, 19))
      told.fails = "Unavailable"
      for (const at of [first!, second!]) {
        yield* TestClock.setTime(at)
        assert.strictEqual((yield* Effect.flip(publishDailyReport))._tag, "MarketDataError")
        assert.deepStrictEqual(yield* readReport("2026-06-10"), Option.none())
      }
      told.fails = undefined
      told.without.add("AAPL")
      const [report] = yield* published([third!])
      assert.strictEqual(report?.date, "2026-06-10")
      assert.deepStrictEqual(report?.missing, ["AAPL"])
    })
  )

  story("a provider that has no close of the day yet: no report of it", (told) =>
    Effect.gen(function* () {
      told.without.add("SPY")
      yield* TestClock.setTime(Date.UTC(2026, 5, 10, 20, 15))
      const error = yield* Effect.flip(publishDailyReport)
      assert.strictEqual(error.reason, "Malformed")
      told.without.delete("SPY")
      assert.strictEqual((yield* published([Date.UTC(2026, 5, 10, 21, 15)])).length, 1)
    })
  )

  story("a run that died before its report is repeated, and leaves the same as one that did not", (told) =>
    Effect.gen(function* () {
      const repository = yield* Repository
      const fire = Date.UTC(2026, 5, 10, 20, 15)
      const dying: Repository["Type"] = {
        ...repository,
        set: (family, key, value, options) =>
          family.collection.name === dailyReports.collection.name
            ? Effect.fail(new StoreError({ operation: "set", reason: "Unavailable" }))
            : repository.set(family, key, value, options)
      }
      yield* TestClock.setTime(fire)
      yield* Effect.flip(Effect.provideService(publishDailyReport, Repository, dying))
      const kept = Option.getOrThrow(yield* repository.get(signals, "2026-06"))
      const [report] = yield* published([fire + hour])
      assert.deepStrictEqual(Option.getOrThrow(yield* repository.get(signals, "2026-06")), kept)

      const fresh = ScriptedMarket.script()
      const undisturbed = yield* Effect.provide(published([fire + hour]), MarketFeeds.layer(fresh))
      assert.deepStrictEqual(report, undisturbed[0])
      assert.isAbove(told.asked.length, fresh.asked.length)
    })
  )

  story(
    "signals are judged on the day they are due, once, by what the price did; days that were missed are caught up",
    () =>
      Effect.gen(function* () {
        const data = yield* StaticData
        const market = yield* MarketData
        const gone = new Set(["2026-05-20", "2026-05-21", "2026-05-22"])
        const times = fires("2026-04-20", 50).filter(
          (at) => new Date(at).getUTCHours() === 21 && !gone.has(new Date(at).toISOString().slice(0, 10))
        )
        const reports = yield* published(times)
        const all = yield* readSignals("2026-04-20")
        assert.isAbove(all.length, 20)
        const sessions = data.tradingDays("XNYS", "2026-06-08", 60)!
        const last = reports.at(-1)!.date
        const history = yield* market.history([...new Set(all.map(({ symbol }) => symbol))], { days: 60, upTo: last })
        for (const { close, date, direction, horizon, outcome, symbol } of all) {
          const due = sessions[sessions.indexOf(date) + horizon]
          if (due === undefined || due > last) {
            assert.isNull(outcome)
            continue
          }
          const then = history.get(symbol)!.find((day) => day.date === due)!.close
          assert.strictEqual(outcome?.due, due)
          assert.strictEqual(outcome?.close, then)
          assert.closeTo(outcome!.return, then / close - 1, 1e-12)
          assert.strictEqual(outcome?.right, direction === "up" ? then > close : then < close)
        }
        assert.isTrue(all.some(({ outcome }) => outcome?.right) && all.some(({ outcome }) => outcome?.right === false))
        for (const { date, tracking } of reports) {
          for (const outcome of tracking.outcomes) assert.strictEqual(outcome.due, date)
          assert.strictEqual(tracking.judged, tracking.outcomes.length)
        }
      })
  )

  story("a day's report costs a handful of KV writes, and reading it again none", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* published([Date.UTC(2026, 5, 10, 20, 15)])
      const { writes } = ledger.report().total.kv
      assert.isAtMost(writes, 4)
      const { reads } = ledger.report().total.kv
      for (let read = 0; read < 5; read++) yield* readReport("2026-06-10")
      assert.strictEqual(ledger.report().total.kv.reads, reads)
    })
  )
})
