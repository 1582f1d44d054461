import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import type { DailyCloses } from "../../../src/services/market/MarketHistory.ts"
import { panelOf } from "../../../src/services/market/model/SectorPanel.ts"
import { type SectorSnapshot, Sectors } from "../../../src/services/market/Sectors.ts"
import * as Reference from "../../support/market/sectorsReference.ts"
import { type HistoryOptions, sectorNames, sectorOf, syntheticHistory } from "../../support/market/syntheticHistory.ts"
import { runs } from "../../support/runs.ts"

/** Equal to 1e-9 of the size of what is compared, and of 1 for what is small. */
const near = (actual: number, expected: number, what: string): void => {
  if (Number.isNaN(expected) || Number.isNaN(actual))
    assert.isTrue(Number.isNaN(expected) && Number.isNaN(actual), what)
  else assert.isAtMost(Math.abs(actual - expected), 1e-9 * Math.max(1, Math.abs(expected)), what)
}

const panel = (history: DailyCloses, sectors: number) =>
  panelOf(history, sectorNames(sectors), sectorOf(sectors), "MARKET")

const sizes: fc.Arbitrary<HistoryOptions> = fc.record({
  seed: fc.nat(),
  days: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 253, max: 270 }) }, fc.integer({ min: 0, max: 260 })),
  symbols: fc.integer({ min: 0, max: 40 }),
  sectors: fc.integer({ min: 1, max: 11 }),
  missing: fc.constantFrom(0, 0.02, 0.3, 0.6, 1),
  still: fc.constantFrom(0, 0, 0.2, 1)
})

const agrees = (actual: SectorSnapshot, expected: Reference.ReferenceSnapshot): void => {
  assert.strictEqual(actual.asOf, expected.asOf)
  for (const [k, wanted] of expected.sectors.entries()) {
    const found = actual.sectors[k]!
    assert.strictEqual(found.id, wanted.id)
    for (const name of ["weight", "volatility", "breadth", "momentum", "relativeStrength"] as const) {
      near(found[name], wanted[name], `${wanted.id} ${name}`)
    }
    for (const [window, value] of Object.entries(wanted.returns)) {
      near(found.returns[window as keyof typeof wanted.returns], value, `${wanted.id} ${window}`)
    }
    near(found.rotation.strength, wanted.rotation.strength, `${wanted.id} strength`)
    near(found.rotation.momentum, wanted.rotation.momentum, `${wanted.id} rotation`)
    const { momentum, strength } = wanted.rotation
    const onTheLine = Math.abs(strength - 1) < 1e-9 || Math.abs(momentum - 1) < 1e-9
    if (!onTheLine) assert.strictEqual(found.rotation.quadrant, wanted.rotation.quadrant)
    for (const [j, other] of expected.sectors.entries()) {
      const correlated = actual.correlation[k * expected.sectors.length + j]!
      near(correlated, expected.correlation[wanted.id]![other.id]!, `${wanted.id} with ${other.id}`)
    }
  }
  near(actual.drivers.move, expected.drivers.move, "move")
  near(actual.drivers.market, expected.drivers.market, "market")
  const contributions = new Map(expected.drivers.sectors.map(({ contribution, id }) => [id, contribution]))
  for (const { contribution, id } of actual.drivers.sectors) near(contribution, contributions.get(id)!, id)
  assert.strictEqual(actual.drivers.sectors.length, contributions.size)
  assert.strictEqual(actual.drivers.symbols.length, expected.drivers.symbols.length)
  for (const [at, { change, contribution }] of expected.drivers.symbols.entries()) {
    near(Math.abs(actual.drivers.symbols[at]!.contribution), Math.abs(contribution), `driver ${at}`)
    if (actual.drivers.symbols[at]!.contribution === contribution) near(actual.drivers.symbols[at]!.change, change, "")
  }
}

/** What every `Sectors` promises, above all that it computes what a plain scalar reference does. */
export const sectorsContract = (name: string, layer: Layer.Layer<Sectors>): void => {
  const law = (title: string, body: (sectors: Sectors["Type"]) => void) =>
    it.effect(title, () => Effect.provide(Effect.map(Sectors, body), layer))

  describe(`Sectors: ${name}`, () => {
    law("agrees with the scalar reference to 1e-9, whatever is missing", ({ snapshot }) => {
      fc.assert(
        fc.property(sizes, (options) => {
          const history = syntheticHistory(options)
          const names = sectorNames(options.sectors)
          const market = Reference.marketOf(history, names, sectorOf(options.sectors), "MARKET")
          agrees(snapshot(panel(history, options.sectors)), Reference.snapshot(market))
        }),
        { numRuns: runs(300) }
      )
    })

    law("the contributions of all sectors make the move, and those named are the largest", ({ snapshot }) => {
      fc.assert(
        fc.property(sizes, (options) => {
          const { drivers } = snapshot(panel(syntheticHistory(options), options.sectors))
          const total = drivers.sectors.reduce((sum, { contribution }) => sum + contribution, 0)
          near(total, Number.isNaN(drivers.move) ? 0 : drivers.move, "total")
          for (const list of [drivers.sectors, drivers.symbols]) {
            const sizes = list.map(({ contribution }) => Math.abs(contribution))
            assert.deepStrictEqual(
              sizes,
              sizes.toSorted((a, b) => b - a)
            )
          }
        })
      )
    })

    law("correlation is symmetric, within 1, and 1 with itself; weights and breadth are shares", ({ snapshot }) => {
      fc.assert(
        fc.property(sizes, (options) => {
          const { correlation, sectors } = snapshot(panel(syntheticHistory(options), options.sectors))
          for (const i of sectors.keys()) {
            const own = correlation[i * sectors.length + i]!
            if (!Number.isNaN(own)) near(own, 1, "own")
            for (const j of sectors.keys()) {
              const value = correlation[i * sectors.length + j]!
              assert.isTrue(Number.isNaN(value) || Math.abs(value) <= 1)
              assert.isTrue(Object.is(value, correlation[j * sectors.length + i]))
            }
          }
          const shares = sectors.map(({ weight }) => weight)
          if (!shares.some(Number.isNaN))
            near(
              shares.reduce((sum, share) => sum + share, 0),
              1,
              "weights"
            )
          for (const { breadth } of sectors) assert.isTrue(Number.isNaN(breadth) || (breadth >= 0 && breadth <= 1))
        })
      )
    })

    law("a symbol without any close changes nothing of the returns", ({ snapshot }) => {
      fc.assert(
        fc.property(sizes, fc.nat(), (options, at) => {
          if (options.symbols === 0) return
          const history = syntheticHistory(options)
          const column = at % options.symbols
          const closes = history.closes.map((close, index) =>
            index % history.symbols.length === column ? Number.NaN : close
          )
          const weights = history.weights.map((weight, index) => (index === column ? Number.NaN : weight))
          const silent = snapshot(panel({ ...history, closes }, options.sectors))
          const absent = snapshot(panel({ ...history, closes, weights }, options.sectors))
          for (const [k, { momentum, returns, volatility }] of silent.sectors.entries()) {
            assert.deepStrictEqual(
              { momentum, returns, volatility },
              {
                momentum: absent.sectors[k]!.momentum,
                returns: absent.sectors[k]!.returns,
                volatility: absent.sectors[k]!.volatility
              }
            )
          }
          assert.deepStrictEqual(silent.drivers, absent.drivers)
        })
      )
    })

    law("figures known by hand", ({ snapshot }) => {
      const days = 253
      const symbols = ["S0", "S1", "MARKET"]
      const closes = Float64Array.from({ length: days * 3 }, (_, at) => {
        const day = Math.floor(at / 3)
        return [100 * 1.01 ** day, 50, 200 * 1.001 ** day][at % 3]!
      })
      const history: DailyCloses = {
        days: syntheticHistory({ seed: 1, days, symbols: 2, sectors: 2, missing: 0, still: 0 }).days,
        symbols,
        closes,
        weights: Float64Array.of(3, 1, 9)
      }
      const { asOf, drivers, sectors } = snapshot(panel(history, 2))
      const [rising, still] = sectors
      assert.strictEqual(asOf, "2026-11-20")
      assert.deepStrictEqual([rising?.weight, still?.weight], [0.75, 0.25])
      near(rising!.returns["1d"], 0.01, "1d")
      near(rising!.returns["1y"], 1.01 ** 252 - 1, "1y")
      near(rising!.volatility, 0, "volatility")
      near(rising!.momentum, 1.01 ** 231 - 1, "momentum")
      near(rising!.relativeStrength, (1.01 / 1.001) ** 63 - 1, "relative strength")
      assert.deepStrictEqual([rising?.breadth, still?.breadth], [1, 0])
      near(still!.returns["6m"], 0, "still")
      near(drivers.move, 0.0075, "move")
      near(drivers.market, 0.001, "market")
      assert.deepStrictEqual(
        drivers.symbols.map(({ symbol }) => symbol),
        ["S0", "S1"]
      )
      assert.isAbove(rising!.rotation.strength, 1)
      assert.isBelow(still!.rotation.strength, 1)
    })

    law("sectors go round: who falls behind and turns is improving, who led and tires is weakening", ({ snapshot }) => {
      const days = 253
      const path = (before: number, after: number, day: number) =>
        100 * (1 + before) ** Math.min(day, days - 8) * (1 + after) ** Math.max(0, day - days + 8)
      const courses = [
        [0.002, 0.004, "leading"],
        [0.004, -0.003, "weakening"],
        [-0.002, -0.004, "lagging"],
        [-0.004, 0.003, "improving"]
      ] as const
      const symbols = ["S0", "S1", "S2", "S3", "MARKET"]
      const history: DailyCloses = {
        days: syntheticHistory({ seed: 1, days, symbols: 1, sectors: 1, missing: 0, still: 0 }).days,
        symbols,
        closes: Float64Array.from({ length: days * 5 }, (_, at) => {
          const course = courses[at % 5]
          return course === undefined ? 100 : path(course[0], course[1], Math.floor(at / 5))
        }),
        weights: new Float64Array(5).fill(1)
      }
      assert.deepStrictEqual(
        snapshot(panel(history, 4)).sectors.map(({ rotation }) => rotation.quadrant),
        courses.map(([, , quadrant]) => quadrant)
      )
    })
  })
}
