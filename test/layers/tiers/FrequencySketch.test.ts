import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { FrequencySketch, hashOf } from "../../../src/layers/tiers/FrequencySketch.ts"

const { saturation } = FrequencySketch

const sketchOf = (entries: number) => {
  const sketch = new FrequencySketch()
  sketch.ensure(entries)
  return sketch
}

describe("the frequency sketch", () => {
  it("never estimates less than it was told, up to its saturation, before it ages; nor after it has grown", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 300 }), { maxLength: 1000 }),
        fc.integer({ min: 1, max: 5000 }),
        (ids, room) => {
          const sketch = new FrequencySketch()
          const counts = new Map<number, number>()
          expect(ids.length).toBeLessThan(sketch.period)
          for (const id of ids) {
            sketch.add(hashOf(String(id), 1))
            counts.set(id, (counts.get(id) ?? 0) + 1)
          }
          for (const grown of [false, true]) {
            if (grown) sketch.ensure(room)
            for (const [id, count] of counts) {
              expect(sketch.estimate(hashOf(String(id), 1))).toBeGreaterThanOrEqual(Math.min(count, saturation))
            }
          }
        }
      )
    )
  })

  it("keeps every estimate as it was when it grows", () => {
    const sketch = sketchOf(10)
    for (let n = 0; n < 1500; n++) sketch.add(hashOf(`id/${n % 400}`, 1))
    const before = Array.from({ length: 1000 }, (_, n) => sketch.estimate(hashOf(`id/${n}`, 1)))
    sketch.ensure(5000)
    expect(Array.from({ length: 1000 }, (_, n) => sketch.estimate(hashOf(`id/${n}`, 1)))).toEqual(before)
  })

  it("seldom takes a stranger for an acquaintance, as many entries as it was made for being in it", () => {
    for (const entries of [1000, 20_000]) {
      const sketch = sketchOf(entries)
      for (let n = 0; n < entries; n++) sketch.add(hashOf(`default/quote-${n}`, 1))
      let taken = 0
      for (let n = 0; n < 10_000; n++) if (sketch.estimate(hashOf(`default/stranger-${n}`, 1)) > 0) taken++
      expect(taken / 10_000).toBeLessThan(0.03)
    }
  })

  it("saturates", () => {
    const sketch = sketchOf(10)
    for (let n = 0; n < 1000; n++) sketch.add(hashOf("hot", 1))
    expect(sketch.estimate(hashOf("hot", 1))).toBe(saturation)
  })

  it("halves every estimate once it has been told of as much as its period", () => {
    const sketch = sketchOf(10)
    const hot = hashOf("hot", 1)
    for (let n = 0; n < 40; n++) sketch.add(hot)
    let told = saturation
    while (sketch.estimate(hot) === saturation && told <= 2 * sketch.period) {
      sketch.add(hashOf(`cold/${told}`, 1))
      told++
    }
    expect(sketch.estimate(hot)).toBe(saturation >> 1)
    expect(told).toBeGreaterThanOrEqual(sketch.period)
    expect(told).toBeLessThan(1.1 * sketch.period)
  })

  it("parts under another seed the ids that share a hash under one", () => {
    const seen = new Map<number, string>()
    let collisions = 0
    for (let n = 0; n < 300_000; n++) {
      const id = `default/${n}`
      const twin = seen.get(hashOf(id, 0))
      seen.set(hashOf(id, 0), id)
      if (twin === undefined) continue
      collisions++
      expect(hashOf(id, 12345)).not.toBe(hashOf(twin, 12345))
    }
    // Of 300,000 random hashes of 32 bits, 10.5 collide on average.
    expect(collisions).toBeGreaterThan(0)
    expect(collisions).toBeLessThan(35)
  })
})
