import { describe, expect, it } from "vitest"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { reportOf } from "../../../src/services/monitoring/model/DayReport.ts"

const shape = LedgerMemory.make(0).report().total
const day = 86_400_000

const figures = (reads: number, kvReads: number, memory: number) => ({
  "ledger|logical|reads": reads,
  "ledger|kv|reads": kvReads,
  "answered|memory": memory,
  "answered|kv": reads - memory,
  "requests|GET cache|memory|200": reads,
  "ms|GET cache|memory|0": reads
})

const change = { at: day * 2 + 5, by: "alice", name: "MEMORY_BYTES", from: null, to: "1048576" }
const toDo = [{ id: "x", title: "Do this", figure: "", saves: { operationsPerMonth: 1, usdPerMonth: 2 }, risk: "none" }]
const about = { now: day * 3 + 1, shape, history: [change, { ...change, at: day }], toDo }

describe("the report of a day", () => {
  it("says what was saved, what changed against the day before, and what to do", () => {
    const before = { at: day, figures: figures(1000, 500, 500) }
    const report = reportOf({ at: day * 2, figures: figures(2000, 400, 1600) }, before, about)
    expect(report).toMatchObject({ date: "1970-01-03", complete: true, settings: [change], toDo })
    expect(report.saved).toMatchObject({ kvOperations: 400, kvOperationsWithoutLarder: 2000 })
    expect(report.saved.saved).toBeCloseTo((1600 * 0.5) / 1e6, 12)
    expect(report.changed).toContainEqual({ figure: "hitRatio", before: 0.5, now: 0.8 })
    expect(report.changed).toContainEqual({ figure: "requests", before: 1000, now: 2000 })
    expect(report.text).toEqual([
      "Saved $0.000800: $0.000200 instead of $0.001000, and 400 KV operations instead of 2,000.",
      "Against the day before, requests went from 1,000 to 2,000; the hit ratio went from 50.0 % to 80.0 %; what was spent went from $0.000250 to $0.000200.",
      "MEMORY_BYTES was set to 1048576 by alice.",
      "To do: Do this ($2.00 a month)."
    ])
  })

  it("is not complete before the day is over, and compares the first day with nothing", () => {
    const report = reportOf({ at: day * 3, figures: {} }, undefined, { ...about, history: [], toDo: [] })
    expect(report).toMatchObject({ date: "1970-01-04", complete: false, changed: undefined, settings: [] })
    expect(report.text.slice(1)).toEqual(["There is no day before to compare with.", "Nothing to do."])
  })

  it("has no sentence for what stayed within a tenth", () => {
    const before = { at: day, figures: figures(1000, 500, 500) }
    const report = reportOf({ at: day * 2, figures: figures(1050, 525, 525) }, before, { ...about, history: [] })
    expect(report.text[1]).toBe("Nothing changed by more than a tenth against the day before.")
  })
})
