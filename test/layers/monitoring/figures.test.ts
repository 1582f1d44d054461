import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as FigureBookStorage from "../../../src/layers/monitoring/FigureBookStorage.ts"
import * as MonitorLive from "../../../src/layers/monitoring/MonitorLive.ts"
import { noFigures, plus, since } from "../../../src/services/monitoring/model/Figures.ts"
import { bucketOf, millisOf, quantile, sketchOf } from "../../../src/services/monitoring/model/LatencySketch.ts"
import { runs, seedOr } from "../../support/runs.ts"

/** An object's disk: what was put outlives the object. */
const disk = () => {
  const rows = new Map<string, unknown>()
  let writes = 0
  return {
    rows,
    writes: () => writes,
    storage: {
      put: (key: string, value: unknown) => {
        writes += 1
        rows.set(key, structuredClone(value))
      },
      list: <A>({ prefix }: { readonly prefix: string }) =>
        [...rows].filter(([key]) => key.startsWith(prefix)) as Array<[string, A]>
    }
  }
}

const isolates = () => {
  let started = 0
  return () => {
    const name = `isolate-${started++}`
    return { name, monitor: MonitorLive.make({ name: () => name }) }
  }
}

describe("latency sketches", () => {
  it("have no value further than 1 % from what they stand for", () => {
    for (let millis = 0.5; millis < 120_000; millis *= 1.003) {
      assert.isBelow(Math.abs(millisOf(bucketOf(millis)) - millis) / millis, 0.010_001)
    }
    assert.strictEqual(millisOf(bucketOf(0)), 0)
  })
})

/** One step of a story: requests of an isolate, then its call to the object. */
const step = fc.record({
  isolate: fc.nat(5),
  latencies: fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 6 }),
  seconds: fc.integer({ min: 0, max: 90 }),
  fate: fc.constantFrom(
    "arrives",
    "arrives",
    "arrives",
    "request lost",
    "reply lost",
    "late",
    "object restarts",
    "dies"
  )
})

describe("the figures of all isolates", () => {
  it("are the sum of what each one told, whatever is lost, late, restarted or killed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const { storage } = disk()
        const start = isolates()
        const living = Array.from({ length: 6 }, start)
        let book = FigureBookStorage.make(storage)
        let now = 1_800_000_000_000
        let told = noFigures
        const latencies: Array<number> = []
        let late: (() => void) | undefined
        for (const { fate, isolate, latencies: taken, seconds } of steps) {
          now += seconds * 1000
          const { monitor } = living[isolate]!
          const before = monitor.figures(now)
          for (const millis of taken) {
            latencies.push(millis)
            monitor.ended(
              new Request("https://larder.example/api/v1/quotes"),
              new Response(null, { status: 204 }),
              millis
            )
          }
          told = plus(told, since(before, monitor.figures(now)))
          const along = monitor.next(now, "asked")!
          if (fate === "object restarts") book = FigureBookStorage.make(storage)
          if (fate === "request lost") continue
          if (fate === "late") {
            late = () => book.take(along, now)
            continue
          }
          const saved = book.take(along, now)
          if (fate !== "reply lost") monitor.settled({ saved })
          late?.()
          late = undefined
          // What an isolate has not told when it dies, nobody knows; nor what an object has not saved when it restarts.
          if (fate === "dies") {
            monitor.settled({ saved: book.take(monitor.next(now, "asked")!, now) })
            now += 60_000
            const other = living[(isolate + 1) % 6]!.monitor
            other.settled({ saved: book.take(other.next(now, "asked")!, now) })
            living[isolate] = start()
          }
        }
        // An isolate that learns only now what was saved tells the rest again.
        for (const _ of [1, 2]) {
          for (const { monitor } of living) monitor.settled({ saved: book.take(monitor.next(now, "asked")!, now) })
        }
        const { total } = book.view(now)
        assert.deepStrictEqual(since(total, told), {})
        assert.deepStrictEqual(since(told, total), {})
        if (latencies.length > 0) {
          const sorted = latencies.sort((a, b) => a - b)
          for (const share of [0.5, 0.95, 0.99]) {
            const exact = sorted[Math.floor(share * (sorted.length - 1))]!
            const found = quantile(sketchOf(total, "ms|"), share)!
            assert.isAtMost(Math.abs(found - exact), exact * 0.010_001)
          }
        }
      }),
      { numRuns: runs(200), seed: seedOr(16) }
    )
  })

  it("never fall, and lie in a bounded number of rows: one written a minute, and one more an hour and a day", () => {
    const { rows, storage, writes } = disk()
    const start = isolates()
    let isolate = start()
    let book = FigureBookStorage.make(storage)
    const began = 1_800_000_000_000
    const days = 100
    let last = 0
    for (let minute = 0; minute < days * 1440; minute += 29) {
      const now = began + minute * 60_000
      if (minute % 1015 === 0) isolate = start()
      if (minute % 1508 === 0) book = FigureBookStorage.make(storage)
      isolate.monitor.count("asked")
      for (const _ of [1, 2, 3]) isolate.monitor.settled({ saved: book.take(isolate.monitor.next(now, "asked")!, now) })
      if (minute % 290 === 0) {
        const { total } = book.view(now)
        assert.isAbove(total.asked!, last)
        last = total.asked!
      }
    }
    const told = Math.ceil((days * 1440) / 29)
    assert.isAtMost(writes(), told + days * 24 + days)
    assert.isAtMost(rows.size, 120 + 72 + 90)
    const view = book.view(began + days * 86_400_000)
    assert.strictEqual(view.total.asked, told)
    assert.isAtLeast(view.days.length, 89)
    assert.isAtLeast(view.hours.length, 70)
    // A full day has as many as it has tellings.
    for (const { figures } of view.days.slice(1, -1)) assert.approximately(figures.asked!, 1440 / 29, 1)
  })
})

describe("a hit of the hot route", () => {
  it("is counted as the request that it is", () => {
    const monitor = MonitorLive.make()
    for (let i = 0; i < 3; i++) monitor.hit("https://larder.example/")
    assert.deepStrictEqual(monitor.figures(0), { "requests|GET cache|memory|200": 3, "ms|GET cache|memory|0": 3 })
  })
})

describe("routes", () => {
  it("are told apart by method and first segment, and never without bound", () => {
    const monitor = MonitorLive.make()
    const ended = (method: string, path: string, status = 200) =>
      monitor.ended(new Request(`https://larder.example${path}`, { method }), new Response(null, { status }), 1)
    ended("PUT", "/api/v1/cache/default/a")
    ended("GET", "/api/v1/cache/default/b?x=1", 404)
    ended("GET", "/api/v1/alerts/17")
    for (let i = 0; i < 500; i++) {
      ended("GET", `/api/v1/zz${String.fromCharCode(97 + (i % 26), 97 + (i % 17))}x`)
      ended("GET", `/wp-admin/${i}`, 404)
    }
    const names = Object.keys(monitor.figures(0)).filter((name) => name.startsWith("requests|"))
    assert.include(names, "requests|PUT cache|-|200")
    assert.include(names, "requests|GET cache|-|404")
    assert.include(names, "requests|GET alerts|-|200")
    assert.include(names, "requests|other|-|404")
    assert.isAtMost(names.length, 70)
  })
})
