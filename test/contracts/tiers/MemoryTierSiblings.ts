import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import type { Observation } from "../../../src/services/store/model/Entry.ts"
import { runs } from "../../support/runs.ts"
import { forever, observed, type Tier } from "./MemoryTier.ts"

const offer = (tier: Tier, id: string, bytes = 10, retainUntil = forever, now = 0, group = "g"): Observation => {
  const observation = observed(now)
  tier.offer(id, observation, { bytes, retainUntil, group }, now)
  return observation
}

const set = (tier: Tier, id: string, bytes = 10, retainUntil = forever, now = 0): Observation => {
  const observation = observed(now)
  tier.set(id, observation, { bytes, retainUntil }, now)
  return observation
}

/** Offers `count` siblings one after the other and asks for every one that `asked` chooses. */
const stream = (tier: Tier, count: number, asked: (n: number) => boolean, group = "g", from = 0): void => {
  for (let n = from; n < from + count; n++) {
    offer(tier, `${group}/${n}`, 10, forever, 0, group)
    if (asked(n)) tier.get(`${group}/${n}`, 0)
  }
}

const id = fc.nat({ max: 40 }).map((n) => `id/${n}`)

type Command =
  | { readonly kind: "get" | "peek" | "delete"; readonly id: string }
  | { readonly kind: "set" | "offer"; readonly id: string; readonly bytes: number; readonly ttl: number }
  | { readonly kind: "pass"; readonly millis: number }

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constantFrom("get" as const, "peek" as const, "delete" as const), id }),
  fc.record({
    kind: fc.constantFrom("set" as const, "offer" as const, "offer" as const),
    id,
    bytes: fc.integer({ min: 1, max: 300 }),
    ttl: fc.integer({ min: 0, max: 50 })
  }),
  fc.record({ kind: fc.constant("pass" as const), millis: fc.nat({ max: 20 }) })
)

/** What every layer of `MemoryTier` that holds anything promises of entries that nobody asked for. */
export const siblingContract = (layer: string, make: (capacityBytes: number) => Tier): void => {
  describe(`${layer} keeps siblings:`, () => {
    it("answers with the latest it was given of an id, offered or set, and stays within its bytes and their share", () => {
      fc.assert(
        fc.property(fc.array(command, { minLength: 20, maxLength: 150 }), (commands) => {
          const tier = make(1000)
          const latest = new Map<string, Observation>()
          let now = 1000
          for (const command of commands) {
            if (command.kind === "pass") now += command.millis
            else if (command.kind === "set" || command.kind === "offer") {
              const put = command.kind === "set" ? set : offer
              latest.set(command.id, put(tier, command.id, command.bytes, now + command.ttl, now))
            } else if (command.kind === "delete") {
              tier.delete(command.id)
              expect(tier.peek(command.id, now)).toBeUndefined()
            } else {
              const peeked = tier.peek(command.id, now)
              const found = tier[command.kind](command.id, now)
              expect(found).toBe(peeked)
              if (found !== undefined) expect(found).toBe(latest.get(command.id))
            }
            const { bytes, entries, siblings } = tier.stats()
            expect(bytes).toBeLessThanOrEqual(1000)
            expect(siblings.bytes).toBeLessThanOrEqual(siblings.capacityBytes)
            expect(siblings.offered).toBe(siblings.hits + siblings.wasted + siblings.entries)
            expect(entries).toBeGreaterThanOrEqual(siblings.entries)
          }
        }),
        { numRuns: runs(80) }
      )
    })

    it("leaves all its bytes to what is asked for while nothing is offered, and never more than the share to siblings", () => {
      const tier = make(1000)
      for (let n = 0; n < 100; n++) set(tier, `asked/${n}`)
      expect(tier.stats().bytes).toBe(1000)
      for (let n = 0; n < 40; n++) offer(tier, `sibling/${n}`)
      expect(tier.stats()).toMatchObject({ bytes: 1000, siblings: { entries: 5, bytes: 50, capacityBytes: 50 } })
      for (let n = 0; n < 100; n++) set(tier, `asked/${n}`)
      expect(tier.stats().siblings.entries).toBe(5)
      tier.clear("sibling/")
      for (let n = 0; n < 100; n++) set(tier, `again/${n}`)
      expect(tier.stats().bytes).toBe(1000)
    })

    it("makes a sibling one of the others on its first get, and counts what is never asked for", () => {
      const tier = make(1000)
      const observation = offer(tier, "a")
      offer(tier, "b")
      expect(tier.peek("a", 0)).toBe(observation)
      expect(tier.stats().siblings.hits).toBe(0)
      expect(tier.get("a", 0)).toBe(observation)
      expect(tier.get("a", 0)).toBe(observation)
      tier.delete("b")
      expect(tier.stats()).toMatchObject({
        entries: 1,
        hits: 2,
        misses: 0,
        siblings: { entries: 0, offered: 2, hits: 1, wasted: 1 }
      })
    })

    it("renews in place what is held already, asked for or not", () => {
      const tier = make(1000)
      set(tier, "asked")
      offer(tier, "sibling")
      const newer = [offer(tier, "asked", 10, forever, 5), offer(tier, "sibling", 12, forever, 5)]
      expect(tier.stats()).toMatchObject({ entries: 2, siblings: { entries: 1, offered: 1, wasted: 0 } })
      expect([tier.get("asked", 6), tier.get("sibling", 6)]).toEqual(newer)
      const larger = offer(tier, "asked", 100, forever, 7)
      expect(tier.get("asked", 8)).toBe(larger)
    })

    it("gives them more room while they are asked for, at most 30 %, and none when they are not", () => {
      const tier = make(10_000)
      stream(tier, 20_000, (n) => n % 2 === 0)
      expect(tier.stats().siblings.capacityBytes).toBe(3000)
      const idle = make(10_000)
      for (let n = 0; n < 600; n++) set(idle, `asked/${n}`)
      for (let round = 0; round < 20; round++) {
        stream(idle, 256, (n) => n % 40 === 0, "g", round * 256)
        for (let n = 0; n < 6000; n++) idle.get(`asked/${n % 600}`, 0)
      }
      expect(idle.stats().siblings).toMatchObject({ capacityBytes: 0 })
      expect(idle.stats().siblings.declined).toBeGreaterThan(0)
    })

    it("is off by itself for a group whose siblings are never used, while another's are taken in, and tries it again later", () => {
      const tier = make(100_000)
      for (let n = 0; n < 6000; n += 300) {
        stream(tier, 300, () => true, "used", n)
        stream(tier, 300, () => false, "unused", n)
      }
      const before = tier.stats().siblings
      stream(tier, 300, () => false, "unused", 10_000)
      expect(tier.stats().siblings.declined - before.declined).toBe(300)
      stream(tier, 300, () => true, "used", 10_000)
      expect(tier.stats().siblings.hits - before.hits).toBe(300)
      stream(tier, 17_000, () => false, "unused", 20_000)
      expect(tier.stats().siblings.offered).toBeGreaterThan(before.offered + 300)
    })
  })
}
