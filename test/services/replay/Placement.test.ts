import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Placement from "../../../src/services/replay/model/Placement.ts"
import type { WorkloadRequest } from "../../../src/services/replay/Workload.ts"

const read = (session: number | undefined): WorkloadRequest => ({ kind: "read", at: 0, entry: 0, size: 0, session })
const sweep: WorkloadRequest = { kind: "sweep", at: 0, states: [], failures: [] }

const times = <A>(count: number, make: (index: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, index) => make(index))

describe("Placement", () => {
  it("places every request on an isolate that its location has, and a session always in one location", () => {
    const fleets = fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat())
      .map(([a, b, seed]) => ({ isolates: Math.max(a, b), locations: Math.min(a, b), meanLife: 900_000, seed }))
    fc.assert(
      fc.property(fleets, fc.array(fc.option(fc.nat(20), { nil: undefined }), { minLength: 1 }), (fleet, sessions) => {
        const placement = Placement.make(fleet)
        const homes = new Map<number, number>()
        for (const session of sessions) {
          const { cold, location, slot } = placement.place(read(session))
          expect(cold).toBe(false)
          expect(slot).toBeLessThan(fleet.isolates)
          expect(location).toBe(slot % fleet.locations)
          if (session !== undefined) {
            expect(homes.get(session) ?? location).toBe(location)
            homes.set(session, location)
          }
        }
      })
    )
  })

  it("uses all isolates, and half of the time a cold one for a cron", () => {
    const placement = Placement.make({ isolates: 6, locations: 3, meanLife: 900_000, seed: 4 })
    const places = times(4000, () => placement.place(sweep))
    expect(new Set(places.map(({ slot }) => slot)).size).toBe(6)
    expect(places.filter(({ cold }) => cold).length / 4000).toBeCloseTo(0.5, 1)
    expect(new Set(times(4000, () => placement.place(read(undefined)).slot)).size).toBe(6)
  })

  it("lets isolates live the mean it was given, or for ever", () => {
    const placement = Placement.make({ isolates: 1, locations: 1, meanLife: 900, seed: 9 })
    const lives = times(20_000, () => placement.life())
    expect(lives.reduce((sum, life) => sum + life, 0) / lives.length / 900).toBeCloseTo(1, 1)
    const immortal = Placement.make({ isolates: 1, locations: 1, meanLife: Number.POSITIVE_INFINITY, seed: 9 })
    expect(immortal.life()).toBe(Number.POSITIVE_INFINITY)
    expect(times(50, () => immortal.place(sweep).cold)).not.toContain(true)
  })

  it("deals alike for one seed", () => {
    const deal = (seed: number) => {
      const placement = Placement.make({ isolates: 5, locations: 2, meanLife: 900, seed })
      return times(50, (index) => [placement.place(index % 3 === 0 ? sweep : read(undefined)), placement.life()])
    }
    expect(deal(3)).toEqual(deal(3))
    expect(deal(3)).not.toEqual(deal(4))
  })
})
