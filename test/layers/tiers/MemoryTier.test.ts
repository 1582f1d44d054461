import { it as effectIt } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import { describe, expect, it } from "vitest"
import * as MemoryTierLru from "../../../src/layers/tiers/MemoryTierLru.ts"
import * as MemoryTierOff from "../../../src/layers/tiers/MemoryTierOff.ts"
import * as MemoryTierSettings from "../../../src/layers/tiers/MemoryTierSettings.ts"
import * as MemoryTierTinyLfu from "../../../src/layers/tiers/MemoryTierTinyLfu.ts"
import { defaults, Settings } from "../../../src/services/settings/Settings.ts"
import { MemoryTier } from "../../../src/services/tiers/MemoryTier.ts"
import { contract, forever, observed, type Tier } from "../../contracts/tiers/MemoryTier.ts"

contract("MemoryTierTinyLfu", MemoryTierTinyLfu.make)
contract("MemoryTierLru", MemoryTierLru.make)

/** Asks for the id, and offers it when it is not there; whether it was. */
const ask = (tier: Tier, id: string, bytes = 100): boolean => {
  if (tier.get(id, 0) !== undefined) return true
  tier.set(id, observed(), { bytes, retainUntil: forever }, 0)
  return false
}

const hitRatio = (tier: Tier, ids: Iterable<string>): number => {
  const before = tier.stats()
  for (const id of ids) ask(tier, id)
  const after = tier.stats()
  return (after.hits - before.hits) / (after.hits + after.misses - before.hits - before.misses)
}

const held = (tier: Tier, ids: ReadonlyArray<string>) => ids.filter((id) => tier.peek(id, 0) !== undefined).length

const range = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}/${n}`)

/** Mulberry32: uniform in [0, 1). */
const uniform = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Requests for `keys` ids of popularity 1/rank, with a scan of 2,000 new ids after every 10,000. */
const zipfWithScans = (keys: number, requests: number, seed: number): ReadonlyArray<string> => {
  const random = uniform(seed)
  const cumulative: Array<number> = []
  for (let rank = 1; rank <= keys; rank++) cumulative.push((cumulative.at(-1) ?? 0) + 1 / rank)
  const ids: Array<string> = []
  for (let n = 0; n < requests; n++) {
    if (n % 10_000 === 9_999) ids.push(...range(`scan/${n}`, 2_000))
    const drawn = random() * cumulative[keys - 1]!
    ids.push(`zipf/${cumulative.findIndex((sum) => sum >= drawn)}`)
  }
  return ids
}

describe("MemoryTierLru", () => {
  it("drops what was asked for or written longest ago: an example by hand", () => {
    const tier = MemoryTierLru.make(400)
    const present = () => ["a", "b", "c", "d", "e", "f"].filter((id) => tier.peek(id, 0) !== undefined).join("")
    for (const id of "abcd") ask(tier, id)
    expect(present()).toBe("abcd")
    ask(tier, "a")
    ask(tier, "e")
    expect(present()).toBe("acde")
    tier.peek("c", 0)
    ask(tier, "f", 50)
    expect(present()).toBe("adef")
    tier.set("d", observed(), { bytes: 100, retainUntil: forever }, 0)
    ask(tier, "b", 60)
    expect(present()).toBe("bdef")
    expect(tier.stats()).toMatchObject({ entries: 4, bytes: 310, hits: 1, misses: 7, evictions: 3, rejections: 0 })
  })

  it("holds what a Map kept in order of use would hold", () => {
    const requests = fc.array(fc.tuple(fc.nat({ max: 20 }).map(String), fc.integer({ min: 1, max: 250 })))
    fc.assert(
      fc.property(requests, (requests) => {
        const tier = MemoryTierLru.make(1000)
        const model = new Map<string, number>()
        for (const [id, bytes] of requests) {
          const kept = model.get(id)
          expect(ask(tier, id, bytes)).toBe(kept !== undefined)
          model.delete(id)
          model.set(id, kept ?? bytes)
          for (const [oldest] of model) {
            if ([...model.values()].reduce((sum, each) => sum + each, 0) <= 1000) break
            model.delete(oldest)
          }
        }
        expect(held(tier, [...model.keys()])).toBe(model.size)
        expect(tier.stats().entries).toBe(model.size)
      })
    )
  })

  it("gets nothing out of a loop one longer than itself", () => {
    const tier = MemoryTierLru.make(100 * 100)
    expect(
      hitRatio(
        tier,
        Array.from({ length: 10_000 }, (_, n) => `loop/${n % 101}`)
      )
    ).toBe(0)
  })
})

describe("MemoryTierTinyLfu", () => {
  const entries = 1000
  const hot = range("hot", 700)
  const warm = () => {
    const tier = MemoryTierTinyLfu.make(entries * 100)
    for (let round = 0; round < 8; round++) hitRatio(tier, hot)
    return tier
  }

  it("keeps its hot set through a scan ten times its size, where recency alone loses it", () => {
    const scan = range("scan", 10 * entries)
    const tier = warm()
    hitRatio(tier, scan)
    expect(held(tier, hot)).toBeGreaterThan(0.95 * hot.length)
    const recent = MemoryTierLru.make(entries * 100)
    hitRatio(recent, hot)
    hitRatio(recent, scan)
    expect(held(recent, hot)).toBe(0)
  })

  it("keeps its hot set through a stream of giants that just fit", () => {
    const tier = warm()
    for (const id of range("giant", 2000)) ask(tier, id, (entries * 100) / 4)
    expect(held(tier, hot)).toBeGreaterThan(0.95 * hot.length)
  })

  it("does not empty its window for one entry that is larger than the window", () => {
    const tier = warm()
    const recent = range("recent", 150)
    hitRatio(tier, recent)
    expect(held(tier, recent)).toBe(recent.length)
    ask(tier, "giant", (entries * 100) / 4)
    expect(held(tier, recent)).toBe(recent.length)
  })

  it("makes room for a new hot set, though the old one was as hot as the sketch can tell", () => {
    const tier = MemoryTierTinyLfu.make(entries * 100)
    const old = range("old", entries)
    for (let round = 0; round < 40; round++) hitRatio(tier, old)
    const fresh = range("fresh", 500)
    for (let round = 0; round < 60; round++) hitRatio(tier, fresh)
    expect(hitRatio(tier, fresh)).toBeGreaterThan(0.9)
  })

  it("gets much out of a loop one longer than itself", () => {
    const tier = MemoryTierTinyLfu.make(100 * 100)
    expect(
      hitRatio(
        tier,
        Array.from({ length: 20_000 }, (_, n) => `loop/${n % 101}`)
      )
    ).toBeGreaterThan(0.5)
  })

  it("learns to trust recency where only recency pays: every id asked for once more, a while later", () => {
    const tier = MemoryTierTinyLfu.make(entries * 100)
    const pairs = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => [`pair/${from + n}`, `pair/${from + n - 200}`]).flat()
    hitRatio(tier, pairs(200, 60_000))
    expect(hitRatio(tier, pairs(60_000, 100_000))).toBeGreaterThan(0.3)
  })

  it("beats recency on a skewed workload with scans by a wide margin, whatever the seeds", () => {
    for (const seed of [1, 2, 3]) {
      const ids = zipfWithScans(5000, 100_000, seed)
      const tinyLfu = hitRatio(MemoryTierTinyLfu.make(250 * 100, seed), ids)
      const lru = hitRatio(MemoryTierLru.make(250 * 100), ids)
      expect(tinyLfu - lru).toBeGreaterThan(0.05)
    }
  })

  it("prefers many small entries to few large ones that are asked for as often", () => {
    const tier = MemoryTierTinyLfu.make(100_000)
    const small = range("small", 500)
    const large = range("large", 50)
    for (let round = 0; round < 20; round++) {
      for (const id of small) ask(tier, id, 120)
      for (const id of large) ask(tier, id, 8_000)
    }
    expect(held(tier, small)).toBeGreaterThan(450)
  })

  it("prefers what costs a KV operation to lose to what a cheaper tier has", () => {
    const tier = MemoryTierTinyLfu.make(entries * 100)
    const ids = Array.from({ length: 2 * entries }, (_, n) => (n % 2 === 0 ? `kv/${n}` : `durable/${n}`))
    for (let round = 0; round < 10; round++) {
      for (const id of ids) {
        if (tier.get(id, 0) !== undefined) continue
        const cost = id.startsWith("kv/") ? 1 : 0
        tier.set(id, observed(), { bytes: 100, retainUntil: forever, cost }, 0)
      }
    }
    const kv = ids.filter((id) => id.startsWith("kv/"))
    expect(held(tier, kv)).toBeGreaterThan(0.75 * tier.stats().entries)
  })

  it("goes by frequency among entries that cost nothing to lose, or what is no number", () => {
    for (const cost of [0, -1, Number.NaN, forever]) {
      const tier = MemoryTierTinyLfu.make(entries * 100)
      const ids = [...Array.from({ length: 8 }, () => hot).flat(), ...range("scan", 5 * entries)]
      for (const id of ids) {
        if (tier.get(id, 0) === undefined) tier.set(id, observed(), { bytes: 100, retainUntil: forever, cost }, 0)
      }
      expect(held(tier, hot)).toBeGreaterThan(0.95 * hot.length)
      for (const id of hot) tier.set(id, observed(), { bytes: 200, retainUntil: forever, cost }, 0)
      expect(held(tier, hot)).toBeGreaterThan(0.3 * hot.length)
      expect(tier.stats().bytes).toBeLessThanOrEqual(entries * 100)
    }
  })

  it("counts reads, not writes, as interest", () => {
    const tier = warm()
    for (let round = 0; round < 20; round++) {
      for (const id of range("written", 2000)) tier.set(id, observed(), { bytes: 100, retainUntil: forever }, 0)
    }
    expect(held(tier, hot)).toBeGreaterThan(0.95 * hot.length)
  })
})

describe("MemoryTierOff", () => {
  it("holds nothing and counts who asked", () => {
    const tier = MemoryTierOff.make()
    tier.set("id", observed(), { bytes: 1, retainUntil: forever }, 0)
    expect(tier.peek("id", 0)).toBeUndefined()
    expect(ask(tier, "id")).toBe(false)
    expect(ask(tier, "id")).toBe(false)
    tier.delete("id")
    tier.clear("")
    expect(tier.stats()).toMatchObject({
      entries: 0,
      bytes: 0,
      capacityBytes: 0,
      hits: 0,
      misses: 2,
      evictions: 0,
      rejections: 0
    })
  })
})

describe("the layers", () => {
  const capacityOf = <E>(layer: Layer.Layer<MemoryTier, E>) =>
    Effect.provide(
      Effect.map(MemoryTier, (tier) => tier.stats().capacityBytes),
      layer
    )
  const settings = Layer.succeed(Settings, { ...defaults, memoryBytes: 123_456 })

  effectIt.effect("take their capacity from the argument or from the settings", () =>
    Effect.gen(function* () {
      expect(yield* capacityOf(MemoryTierTinyLfu.layer(1000))).toBe(1000)
      expect(yield* capacityOf(MemoryTierLru.layer(1000))).toBe(1000)
      expect(yield* capacityOf(Layer.provide(MemoryTierSettings.layerTinyLfu, settings))).toBe(123_456)
      expect(yield* capacityOf(Layer.provide(MemoryTierSettings.layerLru, settings))).toBe(123_456)
      expect(yield* capacityOf(MemoryTierOff.layer)).toBe(0)
    })
  )

  effectIt("build synchronously, as an isolate needs them to", () => {
    for (const layer of [MemoryTierTinyLfu.layer(1000), MemoryTierLru.layer(1000), MemoryTierOff.layer]) {
      expect(Effect.runSync(capacityOf(layer))).toBeGreaterThanOrEqual(0)
    }
  })
})
