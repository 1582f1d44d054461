import { assert, describe, it } from "vitest"
import { make as makeWatch } from "../../../src/entry/monitoring/watch.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as FigureBookStorage from "../../../src/layers/monitoring/FigureBookStorage.ts"
import { unlimited } from "../../../src/services/budget/Budget.ts"
import { usdOf } from "../../../src/services/ledger/Ledger.ts"
import { type MonitorValues, monitorSettings } from "../../../src/services/monitoring/MonitorSettings.ts"
import { flattened } from "../../../src/services/monitoring/model/Figures.ts"
import { totalsIn } from "../../../src/services/monitoring/model/Performance.ts"
import { capped, refuses, stateOf } from "../../../src/services/monitoring/model/SpendCap.ts"
import { defaultsOf } from "../../../src/services/settings/model/Setting.ts"

const noon = Date.UTC(2027, 0, 5, 12)
const shape = LedgerMemory.make(0).report().total
const settings = { ...defaultsOf(monitorSettings.settings), spendCapRefuses: true } as unknown as MonitorValues

/** Isolates that write a thousand times a second each, until they are refused, over the object that keeps the figures. */
const runaway = (isolates: number, usd: number, replyMillis: number, from = noon) => {
  const rows = new Map<string, unknown>()
  const book = FigureBookStorage.make({
    put: (key, value) => rows.set(key, structuredClone(value)),
    list: <A>({ prefix }: { readonly prefix: string }) =>
      [...rows].filter(([key]) => key.startsWith(prefix)) as Array<[string, A]>
  })
  const fleet = Array.from({ length: isolates }, () => {
    const ledger = LedgerMemory.make(0)
    const watch = makeWatch()
    watch.setCap({ usd, own: ledger.spent })
    watch.monitor.watch(() => flattened("ledger", ledger.report().total))
    return { ledger, watch, refused: 0, replies: [] as Array<{ readonly at: number; readonly come: () => void }> }
  })
  const step = (now: number): void => {
    for (const isolate of fleet) {
      while (isolate.replies[0] !== undefined && isolate.replies[0].at <= now) isolate.replies.shift()!.come()
      const { ledger, watch } = isolate
      if (refuses(watch.cap(now)!.state, settings)) {
        isolate.refused += 1
        continue
      }
      const along = watch.monitor.next(now, "along")
      if (along !== undefined) {
        const saved = book.take(along, now)
        const usdToday = usdOf(totalsIn(book.today(now), shape))
        isolate.replies.push({ at: now + replyMillis, come: () => watch.monitor.settled({ saved, usdToday }) })
      }
      ledger.record({ tier: "durableObject", requests: 1, rowsRead: 1, rowsWritten: 1 })
    }
  }
  const spent = () => fleet.reduce((all, { ledger }) => all + ledger.spent(), 0)
  for (let now = from; now < from + 60_000 && fleet.some(({ refused }) => refused < 100); now++) step(now)
  return { fleet, spent, step }
}

describe("a cap in dollars", () => {
  it("is passed by one per cent at most where loops write a thousand times a second", () => {
    for (const [isolates, usd, replyMillis] of [
      [1, 0.01, 5],
      [6, 0.05, 5],
      [6, 0.2, 30]
    ] as const) {
      const { fleet, spent } = runaway(isolates, usd, replyMillis)
      assert.isTrue(fleet.every(({ refused }) => refused > 0))
      assert.isAtLeast(spent(), usd * 0.98)
      assert.isAtMost(spent(), usd * 1.01)
    }
  })

  it("begins anew with the next UTC day", () => {
    const { fleet, step } = runaway(2, 0.01, 5)
    const before = fleet.map(({ refused }) => refused)
    step(noon + 86_400_000)
    assert.deepStrictEqual(
      fleet.map(({ refused }) => refused),
      before
    )
  })

  it("saves first, then serves stale, and refuses only where it was told to", () => {
    assert.deepStrictEqual(
      [0, 0.69, 0.7, 0.9, 1].map((spent) => stateOf(spent, 1)),
      ["normal", "normal", "saving", "stale", "reached"]
    )
    assert.strictEqual(stateOf(1e9, 0), "normal")
    assert.isFalse(refuses("reached", { ...settings, spendCapRefuses: false }))
    assert.isTrue(refuses("normal", { ...settings, killSwitch: true }))
    const modes = (["normal", "saving", "stale", "reached"] as const).map((state) => {
      const budget = capped(unlimited, () => state)
      return [budget.mode("reads", 0), budget.stretch(0)]
    })
    assert.deepStrictEqual(modes, [
      ["normal", 1],
      ["saving", 4],
      ["spent", 24],
      ["spent", 24]
    ])
  })
})
