import { assert, describe, it } from "vitest"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { type MonitorValues, monitorSettings } from "../../../src/services/monitoring/MonitorSettings.ts"
import { bucketOf } from "../../../src/services/monitoring/model/LatencySketch.ts"
import { summaryOf } from "../../../src/services/monitoring/model/Performance.ts"
import { alertsIn, standing } from "../../../src/services/monitoring/model/Threshold.ts"
import { defaultsOf } from "../../../src/services/settings/model/Setting.ts"

const shape = LedgerMemory.make(0).report().total
const settings = defaultsOf(monitorSettings.settings) as unknown as MonitorValues
const began = Date.UTC(2027, 0, 5, 12)

/** A hundred requests of a minute, so many of them failed, all as slow as each other. */
const minute = (index: number, errors: number, millis = 20, hits = 90) => ({
  at: began + index * 60_000,
  ...summaryOf(
    {
      "requests|GET cache|memory|200": 100 - errors,
      "requests|GET cache|-|503": errors,
      [`ms|GET cache|memory|${bucketOf(millis)}`]: 100,
      "answered|memory": hits,
      "answered|kv": 100 - hits,
      "ledger|kv|writes": 10
    },
    shape
  )
})

const story = (errors: ReadonlyArray<number>) => errors.map((count, index) => minute(index, count))

describe("thresholds", () => {
  it("raise one alert for one incident, and clear it once, however the figures shake about the limit", () => {
    const alerts = alertsIn(story([0, 1, 0, 6, 1, 8, 9, 4, 7, 6, 3, 6, 2, 1, 0, 0, 1, 0]), settings)
    assert.deepStrictEqual(
      alerts.map(({ id, kind }) => `${id} ${kind}`),
      ["error-rate raised", "error-rate cleared"]
    )
    assert.deepStrictEqual(standing(alerts), [])
    assert.strictEqual(standing(alertsIn(story([0, 7, 7, 3, 3, 3]), settings)).length, 1)
  })

  it("look at hit ratio, latency and the writes of a day", () => {
    const slow = [0, 1, 2, 3].map((index) => minute(index, 0, 1500, 50))
    assert.deepStrictEqual(
      standing(alertsIn(slow, { ...settings, alertKvWrites: 25 }))
        .map(({ id }) => id)
        .sort(),
      ["hit-ratio", "kv-writes", "latency"]
    )
  })

  it("say nothing of minutes in which hardly anybody asked", () => {
    const quiet = [0, 1, 2].map((index) => ({
      at: began + index * 60_000,
      ...summaryOf({ "requests|GET cache|-|503": 3, "answered|kv": 3 }, shape)
    }))
    assert.deepStrictEqual(alertsIn(quiet, settings), [])
  })
})
