import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import * as PrefetchGraph from "../../../src/layers/prefetch/PrefetchGraph.ts"
import * as Random from "../../../src/services/base/model/Random.ts"
import type { PrefetchService } from "../../../src/services/prefetch/Prefetch.ts"
import { scorer } from "../../../src/services/replay/model/PrefetchScore.ts"
import { pageVisits, shuffled, type TracedRead } from "../../support/prefetch/prefetchTraces.ts"
import { runs } from "../../support/runs.ts"

const replayed = (prefetch: PrefetchService, reads: ReadonlyArray<TracedRead>) => {
  const score = scorer(reads.length)
  for (const [index, { id, now, session }] of reads.entries()) {
    score.read(index, session, id, prefetch.observe(session, id, now))
  }
  return score.result()
}

const trained = (precision = 0.6) => {
  const prefetch = PrefetchGraph.make({ precision })
  replayed(prefetch, pageVisits(400, 0))
  return prefetch
}

const nothingHeld = () => false

const day = 86_400_000
const quarter = 900_000

describe("where sessions have habits", () => {
  it("what is predicted is asked for, and most of what could be predicted is", () => {
    const { covered, coverable, issued, used } = replayed(PrefetchGraph.make({ precision: 0.6 }), pageVisits(400, 0.1))
    expect(used / issued).toBeGreaterThanOrEqual(0.6)
    expect(covered / coverable).toBeGreaterThanOrEqual(0.4)
  })

  it("a lower precision covers no less", () => {
    const reads = pageVisits(400, 0.2)
    const at = (precision: number) => replayed(PrefetchGraph.make({ precision }), reads)
    const [strict, loose] = [at(0.6), at(0.3)]
    expect(strict.used / strict.issued).toBeGreaterThanOrEqual(0.6)
    expect(loose.covered).toBeGreaterThanOrEqual(strict.covered)
    expect(loose.used / loose.issued).toBeGreaterThanOrEqual(0.3)
  })

  it("two ids in order tell what one alone cannot", () => {
    const prefetch = PrefetchGraph.make({ precision: 0.8 })
    const visit = (first: string, session: number) => {
      let now = session * 100_000
      const after = first === "x/left" ? "y/left" : "y/right"
      const told = [first, "x/client", after].map((id) => prefetch.observe(`s${session}`, id, now++))
      return { first, afterDoor: [...told[0]!, ...told[1]!] }
    }
    const visits = Array.from({ length: 300 }, (_, session) => visit(session % 2 === 0 ? "x/left" : "x/right", session))
    for (const { afterDoor, first } of visits.slice(200)) {
      expect(afterDoor).toContain(first === "x/left" ? "y/left" : "y/right")
      expect(afterDoor).not.toContain(first === "x/left" ? "y/right" : "y/left")
    }
  })

  it("what is held, or was handed out and is outstanding, is not handed out", () => {
    const prefetch = trained()
    prefetch.note("new", "pages/0", day, false)
    const first = prefetch.take("new", (id) => id === "parts/0-a")
    expect(first).not.toContain("parts/0-a")
    expect(first.length).toBeGreaterThan(0)
    expect(prefetch.take("new", nothingHeld)).toStrictEqual(["parts/0-a"])
    expect(prefetch.take("new", nothingHeld)).toStrictEqual([])
  })

  it("accounts for what became of its predictions", () => {
    const prefetch = trained()
    const before = prefetch.stats()
    expect(prefetch.observe("new", "pages/0", day).length).toBe(3)
    prefetch.note("new", "parts/0-a", day + 1, true)
    const after = prefetch.stats()
    expect([after.issued - before.issued, after.used - before.used, after.covered - before.covered]).toStrictEqual([
      3, 1, 1
    ])
    expect(after.timeliness).toBeGreaterThan(before.timeliness)
  })
})

describe("where there is nothing to learn", () => {
  const silent = (reads: ReadonlyArray<TracedRead>, precision: number) =>
    expect(replayed(PrefetchGraph.make({ precision }), reads).issued).toBeLessThan(reads.length / 200)

  it("it stays silent on shuffled visits, whatever the seed", () => {
    for (let seed = 1; seed <= 5; seed++)
      for (const precision of [0.3, 0.6]) silent(shuffled(pageVisits(400, 0), seed), precision)
  })

  it("popularity alone makes no prediction, however steep", () => {
    for (let seed = 1; seed <= 3; seed++) {
      const random = Random.make(seed)
      const reads = Array.from({ length: 20_000 }, (_, now) => ({
        session: "one",
        id: `a/${Math.floor(random() ** 6 * 2000)}`,
        now
      }))
      for (const precision of [0.3, 0.6]) silent(reads, precision)
    }
  })
})

describe("bounds", () => {
  it("whatever comes, tables keep their size, and at most eight ids are told at once", () => {
    const step = fc.record({ session: fc.nat(200), id: fc.nat(400), pause: fc.nat(70_000) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 300, maxLength: 600 }), (steps) => {
        const prefetch = PrefetchGraph.make({ precision: 0.05, ids: 64, pairs: 32, sessions: 16 })
        prefetch.observe("first", "a/0", 0)
        const { bytes } = prefetch.stats()
        let now = 0
        for (const { id, pause, session } of steps) {
          now += pause
          const told = prefetch.observe(`s${session}`, `a/${id}`, now)
          expect(told.length).toBeLessThanOrEqual(8)
          expect(new Set(told).size).toBe(told.length)
          expect(told).not.toContain(`a/${id}`)
        }
        const stats = prefetch.stats()
        expect(stats.ids).toBeLessThanOrEqual(64)
        expect(stats.sessions).toBeLessThanOrEqual(16)
        expect(stats.bytes).toBe(bytes)
        expect(stats.used + stats.wasted).toBeLessThanOrEqual(stats.issued)
        const state = prefetch.state()
        if (state !== undefined) expect(PrefetchGraph.make({ precision: 0.05 }).restore(state)).toBe(true)
      }),
      { numRuns: runs(30) }
    )
  })
})

describe("what was learned", () => {
  it("lets another isolate predict at once", () => {
    const heir = PrefetchGraph.make({ precision: 0.6 })
    expect(heir.restore(trained().state()!)).toBe(true)
    expect([...heir.observe("new", "pages/0", day)].sort()).toStrictEqual(["parts/0-a", "parts/0-b", "parts/0-c"])
  })

  it("taken in twice is as taken in once", () => {
    const state = trained().state()!
    const heir = PrefetchGraph.make({ precision: 0.6, seed: 9 })
    heir.restore(state)
    const once = heir.state()
    heir.restore(state)
    expect(heir.state()).toStrictEqual(once)
  })

  it("of two accounts adds up: each knows what the other saw", () => {
    const prefetch = PrefetchGraph.make({ precision: 0.6 })
    const others = PrefetchGraph.make({ precision: 0.6 })
    replayed(
      others,
      pageVisits(400, 0).map((read) => ({ ...read, id: `other-${read.id}` }))
    )
    prefetch.restore(trained().state()!)
    prefetch.restore(others.state()!)
    expect(prefetch.observe("one", "pages/0", day)).toContain("parts/0-a")
    expect(prefetch.observe("two", "other-pages/0", day)).toContain("other-parts/0-a")
  })

  it("changed bytes are refused, and change nothing", () => {
    const state = trained().state()!
    fc.assert(
      fc.property(
        fc.nat(state.byteLength - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(state.byteLength - 1),
        (at, by, cut) => {
          const changed = state.slice()
          changed[at] = changed[at]! ^ by
          const prefetch = PrefetchGraph.make({ precision: 0.6 })
          expect(prefetch.restore(changed)).toBe(false)
          expect(prefetch.restore(state.subarray(0, cut))).toBe(false)
          expect(prefetch.stats().ids).toBe(0)
        }
      ),
      { numRuns: runs(50) }
    )
  })

  it("is nothing while nothing happened", () => {
    expect(PrefetchGraph.make({ precision: 0.6 }).state()).toBe(undefined)
  })
})

describe("the time of day", () => {
  it("what is asked for in one quarter of an hour on most days is usual then, and at no other time", () => {
    const prefetch = PrefetchGraph.make({ precision: 0.6 })
    for (let today = 0; today < 6; today++) {
      const at = today * day + 37 * quarter
      prefetch.observe(`morning ${today}`, "reports/daily", at)
      prefetch.observe(`morning ${today}`, `reports/${today}`, at + 1)
      if (today === 3) prefetch.observe("once", "reports/rare", at + 2)
    }
    expect(prefetch.usual(37 * quarter + 5)).toStrictEqual(["reports/daily"])
    expect(prefetch.usual(38 * quarter)).toStrictEqual([])
    const heir = PrefetchGraph.make({ precision: 0.6 })
    heir.restore(prefetch.state()!)
    expect(heir.usual(9 * day + 37 * quarter)).toStrictEqual(["reports/daily"])
  })
})
