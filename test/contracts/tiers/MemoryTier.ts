import type * as Context from "effect/Context"
import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import type { Observation } from "../../../src/services/store/model/Entry.ts"
import type { MemoryTier, MemoryTierStats } from "../../../src/services/tiers/MemoryTier.ts"
import { runs } from "../../support/runs.ts"

export type Tier = Context.Tag.Service<MemoryTier>

/** Observations are told apart by identity. */
export const observed = (readAt = 0): Observation => ({ entry: undefined, readAt })

export const forever = Number.POSITIVE_INFINITY

const capacity = 1000
const largest = capacity / 4

type Command =
  | { readonly kind: "get" | "peek" | "delete"; readonly id: string }
  | {
      readonly kind: "set"
      readonly id: string
      readonly bytes: number
      readonly ttl: number
      readonly cost: number | undefined
    }
  | { readonly kind: "clear"; readonly prefix: string }
  | { readonly kind: "pass"; readonly millis: number }

const ids = ["a", "b"].flatMap((collection) => Array.from({ length: 12 }, (_, key) => `${collection}/${key}`))
const id = fc.constantFrom(...ids)

const set = fc.record({
  kind: fc.constant("set" as const),
  id,
  bytes: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 120 }) }, fc.integer({ min: 1, max: 2 * largest })),
  ttl: fc.oneof(fc.integer({ min: -1, max: 100 }), fc.constant(forever)),
  cost: fc.option(fc.constantFrom(0, 0.1, 1, 1000, forever, Number.NaN), { nil: undefined })
})

const commands: fc.Arbitrary<ReadonlyArray<Command>> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: set },
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("get" as const, "peek" as const), id }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), id }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("clear" as const), prefix: fc.constantFrom("a/", "b/1", "/") })
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("pass" as const),
        millis: fc.oneof(fc.integer({ min: -60, max: 60 }), fc.constantFrom(-1e12, 1e12))
      })
    }
  ),
  { minLength: 20, maxLength: 120 }
)

interface Offered {
  readonly observation: Observation
  readonly bytes: number
  readonly retainUntil: number
}

/** A tier beside everything it was last offered: what it holds must be among that, whatever it chose to drop. */
const beside = (tier: Tier) => {
  const offered = new Map<string, Offered>()
  let now = 1_000_000
  let gets = 0

  /** What is held, expired or not, and that it is what the statistics say. */
  const census = (): ReadonlySet<string> => {
    const held = new Set<string>()
    let bytes = 0
    for (const id of ids) {
      const observation = tier.peek(id, Number.NEGATIVE_INFINITY)
      if (observation === undefined) continue
      expect(observation).toBe(offered.get(id)?.observation)
      held.add(id)
      bytes += offered.get(id)!.bytes
    }
    const stats = tier.stats()
    expect(stats).toMatchObject({ entries: held.size, bytes, capacityBytes: capacity })
    expect(stats.bytes).toBeLessThanOrEqual(capacity)
    expect(stats.hits + stats.misses).toBe(gets)
    return held
  }

  const read = (kind: "get" | "peek", id: string, held: ReadonlySet<string>) => {
    if (kind === "get") gets++
    const live = held.has(id) && offered.get(id)!.retainUntil > now
    expect(tier[kind](id, now)).toBe(live ? offered.get(id)!.observation : undefined)
    if (live) expect(census()).toEqual(held)
  }

  const write = (command: Extract<Command, { kind: "set" }>, held: ReadonlySet<string>, before: MemoryTierStats) => {
    const { bytes, cost, id, ttl } = command
    const one = { observation: observed(now), bytes, retainUntil: now + ttl }
    offered.set(id, one)
    tier.set(id, one.observation, { bytes, retainUntil: one.retainUntil, ...(cost === undefined ? {} : { cost }) }, now)
    const after = census()
    const { evictions, rejections } = tier.stats()
    const turnedAway = evictions - before.evictions + rejections - before.rejections
    const rest = new Set(held)
    rest.delete(id)
    if (bytes > largest || one.retainUntil <= now) {
      expect(after).toEqual(rest)
      expect(turnedAway).toBe(bytes > largest ? 1 : 0)
      return
    }
    for (const other of after) expect(other === id || rest.has(other)).toBe(true)
    const lost = [id, ...rest].filter((one) => !after.has(one) && offered.get(one)!.retainUntil > now)
    expect(turnedAway).toBe(lost.length)
    const expired = [...after].filter((one) => offered.get(one)!.retainUntil <= now)
    if (lost.length > 0) expect(expired).toEqual([])
  }

  return (command: Command) => {
    const held = census()
    switch (command.kind) {
      case "get":
      case "peek":
        return read(command.kind, command.id, held)
      case "set":
        return write(command, held, tier.stats())
      case "delete":
        tier.delete(command.id)
        return expect(census()).toEqual(new Set([...held].filter((id) => id !== command.id)))
      case "clear":
        tier.clear(command.prefix)
        return expect(census()).toEqual(new Set([...held].filter((id) => !id.startsWith(command.prefix))))
      case "pass":
        now += command.millis
    }
  }
}

/** What every layer of `MemoryTier` that holds anything promises. */
export const contract = (layer: string, make: (capacityBytes: number) => Tier): void => {
  describe(`${layer} keeps the contract of MemoryTier:`, () => {
    it("holds only what was offered last, only while it lives, within its bytes; counts what it drops; the expired go first", () => {
      fc.assert(
        fc.property(commands, (commands) => {
          const step = beside(make(capacity))
          for (const command of commands) step(command)
        }),
        { numRuns: runs(100) }
      )
    })

    it("finds what fits when it is empty, however it was used before", () => {
      fc.assert(
        fc.property(commands, fc.integer({ min: 1, max: largest }), (commands, bytes) => {
          const tier = make(capacity)
          const step = beside(tier)
          for (const command of commands) step(command)
          tier.clear("")
          expect(tier.stats()).toMatchObject({ entries: 0, bytes: 0 })
          const observation = observed()
          tier.set("new", observation, { bytes, retainUntil: forever }, 0)
          expect(tier.get("new", 0)).toBe(observation)
        }),
        { numRuns: runs(50) }
      )
    })

    it("lets go of the old value when it refuses the new one", () => {
      const tier = make(capacity)
      for (const [bytes, retainUntil] of [
        [largest + 1, forever],
        [Number.NaN, forever],
        [10, 5],
        [10, Number.NaN]
      ] as const) {
        tier.set("id", observed(), { bytes: 10, retainUntil: forever }, 0)
        expect(tier.peek("id", 5)).toBeDefined()
        tier.set("id", observed(), { bytes, retainUntil }, 5)
        expect(tier.peek("id", Number.NEGATIVE_INFINITY)).toBeUndefined()
        expect(tier.stats()).toMatchObject({ entries: 0, bytes: 0 })
      }
    })

    it("drops nothing that lives as long as something expired is there to drop", () => {
      const tier = make(capacity)
      for (let n = 0; n < 10; n++) {
        tier.set(`live/${n}`, observed(), { bytes: 45, retainUntil: forever }, 0)
        tier.set(`dying/${n}`, observed(), { bytes: 45, retainUntil: 100 + n }, 0)
      }
      for (let n = 0; n < 10; n++) tier.set(`new/${n}`, observed(), { bytes: 45, retainUntil: forever }, 200)
      for (let n = 0; n < 10; n++) expect(tier.peek(`live/${n}`, 200)).toBeDefined()
      expect(tier.stats()).toMatchObject({ evictions: 0, rejections: 0 })
    })

    it("answers at the millisecond before retainUntil and not at it", () => {
      const tier = make(capacity)
      const observation = observed()
      tier.set("id", observation, { bytes: 10, retainUntil: 1000 }, 0)
      expect(tier.get("id", 999)).toBe(observation)
      expect(tier.get("id", 1000)).toBeUndefined()
      expect(tier.stats()).toMatchObject({ entries: 0, bytes: 0, hits: 1, misses: 1, evictions: 0 })
    })

    it("does not mind a clock that leaps ahead and falls back", () => {
      const tier = make(capacity)
      for (let n = 0; n < 5000; n++) {
        const now = n % 3 === 0 ? 1e15 : n % 3 === 1 ? -1e15 : n
        tier.set(`id/${n % 50}`, observed(), { bytes: 40, retainUntil: now + (n % 7) + 1 }, now)
        expect(tier.stats().bytes).toBeLessThanOrEqual(capacity)
      }
      tier.set("id/0", observed(), { bytes: 40, retainUntil: 10 }, 0)
      expect(tier.get("id/0", 10)).toBeUndefined()
    })

    it("takes a stream of ids that are never asked for again, and stays within its bytes", () => {
      const tier = make(capacity)
      for (let n = 0; n < 50_000; n++) {
        expect(tier.get(`once/${n}`, n)).toBeUndefined()
        tier.set(`once/${n}`, observed(), { bytes: 1 + ((n * 7919) % largest), retainUntil: n + 5000 }, n)
      }
      expect(tier.stats().bytes).toBeLessThanOrEqual(capacity)
      expect(tier.stats()).toMatchObject({ hits: 0, misses: 50_000 })
    })

    it("keeps within its bytes and answers with the latest for as long as it runs and adapts", () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(id, set), { minLength: 20, maxLength: 60 }), (requests) => {
          const tier = make(capacity)
          const latest = new Map<string, Observation>()
          for (let now = 0; now < 12_000; now++) {
            const [read, { bytes, id, ttl }] = requests[(now * 31) % requests.length]!
            const answer = tier.get(read, now)
            if (answer !== undefined && answer !== latest.get(read)) expect(answer).toBe(latest.get(read))
            if (answer === undefined || now % 10 === 0) {
              latest.set(id, observed(now))
              tier.set(id, latest.get(id)!, { bytes, retainUntil: now + 10 * ttl }, now)
            }
            const held = tier.stats().bytes
            if (!(held >= 0 && held <= capacity)) expect(held).toBeLessThanOrEqual(capacity)
          }
        }),
        { numRuns: runs(15) }
      )
    })

    it("holds nothing in no room", () => {
      for (const none of [0, 3, -1, Number.NaN]) {
        const tier = make(none)
        tier.set("id", observed(), { bytes: 1, retainUntil: forever }, 0)
        expect(tier.get("id", 0)).toBeUndefined()
      }
    })
  })
}
