import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import {
  documented,
  listVersion,
  readVersion,
  type Version
} from "../../../src/services/simulation/model/KvConsistency.ts"

const version = (serial: number, writtenAt: number, previous?: Version, seenBy = -1): Version => ({
  answer: Option.none(),
  writtenAt,
  expiresAt: Number.POSITIVE_INFINITY,
  putAt: writtenAt,
  serial,
  seenBy,
  previous
})

const late = { ...documented, tail: { probability: 1, max: 40_000 }, listLag: 40_000 }

/** How long after its write a read, or a list, in the location first finds the version. */
const delayOf = (find: typeof readVersion, head: Version, location: number, consistency = late): number => {
  for (let after = 0; after <= 40_000; after += 100) {
    if (find(head, consistency, 1, location, head.writtenAt + after) === head) return after
  }
  throw new Error("never found")
}

const delays = (find: typeof readVersion, consistency = late): ReadonlyArray<number> =>
  Array.from({ length: 1000 }, (_, i) => delayOf(find, version(i >> 2, 5_000, version(-1, 0)), i & 3, consistency))

it("a late write is seen after a time that is spread evenly up to the tail's, or the list's, maximum", () => {
  for (const find of [readVersion, listVersion]) {
    const sorted = [...delays(find)].sort((a, b) => a - b)
    for (const share of [0.1, 0.5, 0.9]) {
      expect(Math.abs(sorted[share * 1000]! / 40_000 - share)).toBeLessThan(0.06)
    }
  }
})

it("writes are late in a location as often as the tail's probability says", () => {
  const consistency = { ...late, tail: { probability: 0.2, max: 40_000 } }
  const share = delays(readVersion, consistency).filter((delay) => delay > 0).length / 1000
  expect(Math.abs(share - 0.2)).toBeLessThan(0.05)
})

it("the location that saw its own write at once reads it at once, however late others do", () => {
  for (let serial = 0; serial < 100; serial++) {
    const head = version(serial, 5_000, version(-1, 0), 2)
    expect(readVersion(head, late, 1, 2, 5_000)).toBe(head)
    expect(readVersion(head, late, 1, 3, 5_000)).not.toBe(head)
  }
})

it.prop(
  "what is seen once stays seen: with time a location finds the same version or a newer one",
  { gaps: fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 6 }), location: fc.nat(3) },
  ({ gaps, location }) => {
    let head = version(0, 0)
    let at = 0
    gaps.forEach((gap, i) => {
      at += gap
      head = version(i + 1, at, head)
    })
    for (const find of [readVersion, listVersion]) {
      let newest = 0
      for (let now = at; now <= at + 40_000; now += 500) {
        const found = find(head, late, 1, location, now).serial
        expect(found).toBeGreaterThanOrEqual(newest)
        newest = found
      }
      expect(newest).toBe(head.serial)
    }
  }
)
