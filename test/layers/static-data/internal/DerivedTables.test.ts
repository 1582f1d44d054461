import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { DerivedTables, unusedFor } from "../../../../src/layers/static-data/internal/DerivedTables.ts"

const build = (derived: DerivedTables, name: string, now: number, bytes: number) =>
  derived.get(
    name,
    now,
    () => ({ name }),
    () => bytes
  )

describe("derived tables", () => {
  it("never hold more than their budget, and answer all the same", () => {
    const acts = fc.array(
      fc.record({
        name: fc.constantFrom("a", "b", "c", "d", "e"),
        bytes: fc.integer({ min: 0, max: 70 }),
        grow: fc.integer({ min: 0, max: 40 }),
        pause: fc.integer({ min: 0, max: unusedFor })
      }),
      { maxLength: 60 }
    )
    fc.assert(
      fc.property(acts, (list) => {
        const derived = new DerivedTables(100)
        let now = 0
        for (const { bytes, grow, name, pause } of list) {
          now += pause
          expect(build(derived, name, now, bytes)).toStrictEqual({ name })
          derived.grow(name, grow)
          expect(derived.bytes).toBeLessThanOrEqual(100)
          const held = derived.list()
          expect(held.reduce((sum, table) => sum + table.bytes, 0)).toBe(derived.bytes)
          expect(derived.built - derived.dropped).toBe(held.length)
        }
      })
    )
  })

  it("are made once while they are in use, and dropped when nobody asked for five minutes", () => {
    const derived = new DerivedTables(100)
    const first = build(derived, "a", 0, 10)
    build(derived, "b", 0, 10)
    expect(build(derived, "a", unusedFor - 1, 10)).toBe(first)
    expect(build(derived, "a", unusedFor, 10)).toBe(first)
    expect(derived.list().map(({ name }) => name)).toStrictEqual(["a"])
    expect(derived.sweep(2 * unusedFor - 1)).toBe(0)
    expect(derived.sweep(2 * unusedFor)).toBe(1)
    expect(derived.bytes).toBe(0)
    expect(build(derived, "a", 2 * unusedFor, 10)).not.toBe(first)
  })

  it("make room by dropping the one asked for least recently", () => {
    const derived = new DerivedTables(100)
    build(derived, "old", 0, 40)
    build(derived, "recent", 1, 40)
    build(derived, "old", 2, 40)
    build(derived, "new", 3, 40)
    expect(derived.list().map(({ name }) => name)).toStrictEqual(["old", "new"])
  })
})
