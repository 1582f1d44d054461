import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { assert, describe, it } from "vitest"
import * as DurableCacheBinding from "../../../src/layers/durable/DurableCacheBinding.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as FigureBookStorage from "../../../src/layers/monitoring/FigureBookStorage.ts"
import * as MonitorLive from "../../../src/layers/monitoring/MonitorLive.ts"
import { off } from "../../../src/services/monitoring/Monitor.ts"
import type { Carried } from "../../../src/services/monitoring/model/Carried.ts"

const billed = { requests: 0, rowsRead: 1, rowsWritten: 0 }

/** Ten minutes of calls to two objects, one a second each; how many came, and what the first one knows at the end. */
const tenMinutes = async (isMonitored: boolean) => {
  const rows = new Map<string, unknown>()
  const book = FigureBookStorage.make({
    put: (key, value) => rows.set(key, value),
    list: <A>() => [...rows] as Array<[string, A]>
  })
  let now = 1_800_000_000_000
  let calls = 0
  const stub = {
    stats: async () => {
      calls += 1
      return { _tag: "Answered", billed, answer: {} }
    },
    carrying: async (along: Carried, method: string, args: ReadonlyArray<unknown>) => {
      assert.deepStrictEqual([method, args], ["stats", []])
      return { ...(await stub.stats()), settled: { saved: book.take(along, now) } }
    }
  }
  const ledger = LedgerMemory.make(now)
  const monitor = isMonitored ? MonitorLive.make({ name: () => "a" }) : off
  const call = DurableCacheBinding.calls({ getByName: () => stub }, ledger, monitor)
  const clock = { ...Clock.make(), unsafeCurrentTimeMillis: () => now }
  for (let second = 0; second < 600; second++) {
    now += 1000
    monitor.count("asked")
    for (const object of ["shard-0", "shard-1"]) {
      await Effect.runPromise(Effect.withClock(call(object, "stats"), clock))
    }
  }
  return { calls, requests: ledger.report().total.durableObject.requests, asked: book.view(now).total.asked }
}

describe("telling the first object what was counted", () => {
  it("takes no call more, and is ten seconds behind at most", async () => {
    const without = await tenMinutes(false)
    const { asked, ...with_ } = await tenMinutes(true)
    assert.deepStrictEqual(with_, { calls: without.calls, requests: without.requests })
    assert.strictEqual(without.calls, 1200)
    assert.isAtLeast(asked!, 590)
  })
})
