import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as SectorsColumnar from "../../../src/layers/market/SectorsColumnar.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import { snapshotSectors } from "../../../src/programs/market/snapshotSectors.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { MarketHistory, MarketHistoryError } from "../../../src/services/market/MarketHistory.ts"
import { sectorPanels } from "../../../src/services/market/model/SectorPanel.ts"
import { StaticData } from "../../../src/services/static-data/StaticData.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { kvMode } from "../../support/worlds.ts"

/** A source of prices that counts what it is asked, and may be made to fail. */
const source = () => ({
  asked: [] as Array<readonly [upTo: string, symbols: number, days: number]>,
  fails: false,
  empty: false
})

const historyLayer = (script: ReturnType<typeof source>): Layer.Layer<MarketHistory, never, StaticData> =>
  Layer.effect(
    MarketHistory,
    Effect.map(StaticData, (data) => ({
      closes: (symbols, upTo, count) =>
        Effect.suspend(() => {
          script.asked.push([upTo, symbols.length, count])
          if (script.fails) return new MarketHistoryError({ operation: "closes", reason: "Unavailable" })
          const days = script.empty ? [] : data.tradingDays("XNYS", upTo, count)!
          return Effect.succeed({
            days,
            symbols,
            closes: Float64Array.from({ length: days.length * symbols.length }, (_, at) => 100 + (at % 97)),
            weights: Float64Array.from(symbols, (_, s) => 1 + s)
          })
        })
    }))
  )

/** One cold isolate over a namespace that others share. */
const isolate = (script: ReturnType<typeof source>, kv: Kv["Type"] = KvMemory.make()) =>
  historyLayer(script).pipe(
    Layer.provideMerge(SectorsColumnar.layer),
    Layer.provideMerge(StaticDataBundled.layerOf()),
    Layer.provideMerge(kvMode({ kv: Layer.succeed(Kv, kv) }))
  )

const at = (time: string) => TestClock.setTime(Date.parse(time))

const asOf = (asked?: string) => Effect.map(snapshotSectors(asked), (snapshot) => snapshot.asOf)

const reasonOf = (asked: string) =>
  Effect.map(Effect.flip(snapshotSectors(asked)), (error) => "reason" in error && error.reason)

describe("a snapshot of the sectors", () => {
  it.effect("is of the last day that is over, however the clocks stand", () =>
    Effect.gen(function* () {
      for (const [now, day] of [
        ["2026-11-20T20:59:59Z", "2026-11-19"],
        ["2026-11-20T21:00:00Z", "2026-11-20"],
        ["2026-11-21T12:00:00Z", "2026-11-20"],
        ["2026-11-23T14:00:00Z", "2026-11-20"],
        ["2026-11-27T17:59:59Z", "2026-11-25"],
        ["2026-11-27T18:00:00Z", "2026-11-27"],
        ["2026-03-09T19:59:59Z", "2026-03-06"],
        ["2026-03-09T20:00:00Z", "2026-03-09"],
        ["2026-03-10T03:59:59Z", "2026-03-09"]
      ] as const) {
        yield* at(now)
        assert.strictEqual(yield* asOf(), day, now)
      }
    }).pipe(Effect.provide(isolate(source())))
  )

  it.effect("of a day without a session is of the one before; of today, of what is over", () =>
    Effect.gen(function* () {
      yield* at("2026-11-23T16:00:00Z")
      assert.strictEqual(yield* asOf("2026-07-05"), "2026-07-02")
      assert.strictEqual(yield* asOf("2026-07-02"), "2026-07-02")
      assert.strictEqual(yield* asOf("2026-11-23"), "2026-11-20")
    }).pipe(Effect.provide(isolate(source())))
  )

  it.effect("is not of what is no date, lies ahead, or beyond the calendar; nobody is asked for that", () => {
    const script = source()
    return Effect.gen(function* () {
      yield* at("2026-11-21T12:00:00Z")
      for (const asked of ["2026-02-30", "20261120", "today", ""]) assert.strictEqual(yield* reasonOf(asked), "BadDate")
      assert.strictEqual(yield* reasonOf("2026-11-22"), "DateAhead")
      assert.strictEqual(yield* reasonOf("2014-06-02"), "BeyondCalendar")
      yield* at("2037-01-05T12:00:00Z")
      assert.strictEqual(yield* reasonOf("2036-12-31"), "BeyondCalendar")
      assert.deepStrictEqual(script.asked, [])
    }).pipe(Effect.provide(isolate(script)))
  })

  it.effect("asks the source once for a year of all symbols, and later isolates read one value from KV", () =>
    Effect.gen(function* () {
      yield* at("2026-11-21T12:00:00Z")
      const script = source()
      const kv = KvMemory.make()
      const first = yield* Effect.provide(snapshotSectors(undefined), isolate(script, kv))
      assert.deepStrictEqual(script.asked, [["2026-11-20", 61, 253]])
      const [again, total] = yield* Effect.provide(
        Effect.zip(
          Effect.zipRight(snapshotSectors(undefined), snapshotSectors(undefined)),
          Effect.map(Ledger, (ledger) => ledger.report().total)
        ),
        isolate(script, kv)
      )
      assert.deepStrictEqual(again, first)
      assert.strictEqual(script.asked.length, 1)
      assert.deepStrictEqual(total.kv, { reads: 1, writes: 0, deletes: 0, lists: 0 })
      assert.strictEqual(first.sectors.length, 11)
    })
  )

  it.effect("is made beside what is kept and cannot be read, which stays", () => {
    const script = source()
    return Effect.gen(function* () {
      yield* at("2026-11-21T12:00:00Z")
      const { version } = (yield* StaticData).table("symbols")
      yield* (yield* Store).set(sectorPanels, `2026-11-20/${version}`, new TextEncoder().encode("no panel"))
      assert.strictEqual(yield* asOf(), "2026-11-20")
      assert.strictEqual(script.asked.length, 1)
      assert.strictEqual(yield* asOf(), "2026-11-20")
      const { entry } = yield* (yield* Store).get(sectorPanels, `2026-11-20/${version}`)
      assert.strictEqual(new TextDecoder().decode(entry?.value), "no panel")
    }).pipe(Effect.provide(isolate(script)))
  })

  it.effect("is none where the source fails or has nothing, and the failure is not kept", () => {
    const script = source()
    return Effect.gen(function* () {
      yield* at("2026-11-21T12:00:00Z")
      script.fails = true
      assert.strictEqual(yield* reasonOf("2026-11-20"), "Unavailable")
      script.fails = false
      assert.strictEqual(yield* asOf("2026-11-20"), "2026-11-20")
      script.empty = true
      assert.strictEqual(yield* reasonOf("2026-11-19"), "NoHistory")
    }).pipe(Effect.provide(isolate(script)))
  })
})
