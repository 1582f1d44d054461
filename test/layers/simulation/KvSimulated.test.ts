import { describe, expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import type { Kv } from "../../../src/services/kv/Kv.ts"
import { documented } from "../../../src/services/simulation/model/KvConsistency.ts"
import { contract } from "../../contracts/kv/Kv.ts"
import { runs } from "../../support/runs.ts"

contract(
  "KvSimulated, its weaknesses switched off,",
  () => KvSimulated.makeWorld({ latency: "none", consistency: "immediate", writeRate: false }).at("here"),
  { runs: runs(100) }
)

type KvService = Context.Tag.Service<Kv>

const value = (n: number): Uint8Array => new TextEncoder().encode(String(n))

/** The number under the key as a location sees it; -1 for none. */
const seen = (kv: KvService, key: string, cacheTtl?: number) =>
  Effect.map(kv.get(key, cacheTtl === undefined ? {} : { cacheTtl }), (found) =>
    Option.isNone(found) ? -1 : Number(new TextDecoder().decode(found.value.value))
  )

const steady = { ...documented, tail: { probability: 0, max: 0 }, ownWrites: 1 }

describe("what a location sees", () => {
  it.effect("a location reuses an answer for 60 s, then sees what others wrote", () =>
    Effect.gen(function* () {
      const world = KvSimulated.makeWorld({ latency: "none", consistency: steady })
      const [ams, nrt] = [world.at("ams"), world.at("nrt")]
      yield* ams.put("k", value(1))
      expect([yield* seen(ams, "k"), yield* seen(nrt, "k")]).toEqual([1, 1])
      yield* TestClock.adjust("10 seconds")
      yield* ams.put("k", value(2))
      expect(yield* seen(ams, "k")).toBe(2)
      yield* TestClock.adjust("49999 millis")
      expect(yield* seen(nrt, "k")).toBe(1)
      expect((yield* nrt.getBulk(["k"])).get("k")).toEqual({ value: value(1), metadata: null })
      yield* TestClock.adjust("1 millis")
      expect(yield* seen(nrt, "k")).toBe(2)
    })
  )

  it.effect("that there is nothing is reused as well, and a longer cacheTtl reuses longer", () =>
    Effect.gen(function* () {
      const world = KvSimulated.makeWorld({ latency: "none", consistency: steady })
      const [ams, nrt] = [world.at("ams"), world.at("nrt")]
      expect(yield* seen(nrt, "k", 600)).toBe(-1)
      yield* ams.put("k", value(1))
      yield* TestClock.adjust("599 seconds")
      expect(yield* seen(nrt, "k")).toBe(-1)
      yield* TestClock.adjust("1 seconds")
      expect(yield* seen(nrt, "k")).toBe(1)
      yield* ams.delete("k")
      expect(yield* seen(ams, "k")).toBe(-1)
      expect(yield* seen(nrt, "k")).toBe(1)
    })
  )

  it.effect("an entry past its ttl is gone even where it is reused", () =>
    Effect.gen(function* () {
      const world = KvSimulated.makeWorld({ latency: "none", consistency: steady })
      yield* world.at("ams").put("k", value(1), { expirationTtl: 60 })
      yield* TestClock.adjust("59 seconds")
      expect(yield* seen(world.at("nrt"), "k", 3600)).toBe(1)
      yield* TestClock.adjust("1 seconds")
      expect(yield* seen(world.at("nrt"), "k", 3600)).toBe(-1)
      expect(world.current("k", 60_000)).toBeUndefined()
    })
  )

  it.effect("an own write may stay unseen too: usually at once is not always", () =>
    Effect.gen(function* () {
      const world = KvSimulated.makeWorld({ latency: "none", consistency: { ...steady, ownWrites: 0 } })
      const kv = world.at("ams")
      expect(yield* seen(kv, "k")).toBe(-1)
      yield* kv.put("k", value(1))
      expect(yield* seen(kv, "k")).toBe(-1)
      yield* TestClock.adjust("60 seconds")
      expect(yield* seen(kv, "k")).toBe(1)
    })
  )

  it.effect("a list learns of a write with a lag of its own, and a page may be empty with more to come", () =>
    Effect.gen(function* () {
      const world = KvSimulated.makeWorld({ latency: "none", consistency: { ...steady, listLag: 30_000 } })
      const kv = world.at("ams")
      yield* kv.put("a", value(1))
      yield* kv.put("b", value(1))
      yield* TestClock.adjust("30 seconds")
      expect((yield* kv.list()).keys.map((key) => key.name)).toEqual(["a", "b"])
      yield* kv.delete("a")
      yield* TestClock.adjust("30 seconds")
      const page = yield* kv.list({ limit: 1 })
      expect(page.keys).toEqual([])
      expect((yield* kv.list({ limit: 1, cursor: page.cursor! })).keys.map((key) => key.name)).toEqual(["b"])
    })
  )

  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("read" as const), at: fc.nat(2), cacheTtl: fc.constantFrom(30, 60, 120) })
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("write" as const), at: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 70 }) }) }
  )

  it.effect.prop(
    "no read is older than the reuse it asked for plus the tail, and every location ends with the last write",
    [fc.array(step, { maxLength: 60 }), fc.integer(), fc.constantFrom(0, 0.5, 1)],
    ([steps, seed, probability]) =>
      Effect.gen(function* () {
        const tail = { probability, max: 45_000 }
        const world = KvSimulated.makeWorld({
          seed,
          latency: "none",
          consistency: { ...documented, tail, ownWrites: 0.5 }
        })
        const writtenAt: Array<number> = [Number.NEGATIVE_INFINITY]
        let now = 0
        for (const step of steps) {
          if (step.do === "wait") {
            yield* TestClock.adjust(`${step.seconds} seconds`)
            now += step.seconds * 1000
          } else if (step.do === "write") {
            const wrote = yield* Effect.isSuccess(world.at(step.at).put("k", value(writtenAt.length)))
            if (wrote) writtenAt.push(now)
          } else {
            const version = Math.max(0, yield* seen(world.at(step.at), "k", step.cacheTtl))
            const overwrittenAt = writtenAt[version + 1] ?? Number.POSITIVE_INFINITY
            expect(now - overwrittenAt).toBeLessThan(120_000 + tail.max)
          }
        }
        yield* TestClock.adjust(`${120_000 + tail.max} millis`)
        const last = writtenAt.length === 1 ? -1 : writtenAt.length - 1
        for (const location of [0, 1, 2]) expect(yield* seen(world.at(location), "k")).toBe(last)
        expect(world.current("k", now) === undefined).toBe(last === -1)
      }),
    { fastCheck: { numRuns: runs(100) } }
  )
})

describe("time", () => {
  it.effect("a reply comes after its latency; a write that nobody waited for is written", () =>
    Effect.gen(function* () {
      const world = KvSimulated.makeWorld()
      const writing = yield* Effect.fork(Effect.timeout(world.at(0).put("k", value(1)), "1 millis"))
      yield* TestClock.adjust("1 millis")
      expect((yield* Fiber.await(writing))._tag).toBe("Failure")
      expect(world.current("k", 1)?.value).toEqual(value(1))
    })
  )

  it.effect("the first read in a location takes 8 ms to 2 s, one that is reused 1 to 5 ms", () =>
    Effect.gen(function* () {
      const kv = KvSimulated.makeWorld().at(0)
      const doneWithin = (millis: number) =>
        Effect.gen(function* () {
          const reading = yield* Effect.fork(kv.get("k"))
          yield* TestClock.adjust(`${millis} millis`)
          const done = Option.isSome(yield* Fiber.poll(reading))
          yield* TestClock.adjust("2 seconds")
          yield* Fiber.join(reading)
          return done
        })
      expect(yield* doneWithin(7)).toBe(false)
      for (let i = 0; i < 10; i++) {
        expect(yield* doneWithin(0)).toBe(false)
        expect(yield* doneWithin(5)).toBe(true)
      }
    })
  )

  it.effect("two worlds with one seed tell one story, a third another", () =>
    Effect.gen(function* () {
      const story = (seed: number) =>
        Effect.gen(function* () {
          const world = KvSimulated.makeWorld({
            seed,
            latency: "none",
            consistency: { ...documented, tail: { probability: 0.5, max: 60_000 }, ownWrites: 0.5 }
          })
          const told: Array<number> = []
          for (let i = 0; i < 100; i++) {
            yield* world.at(i % 4).put("k", value(i))
            yield* TestClock.adjust("7 seconds")
            for (const location of [0, 1, 2, 3]) told.push(yield* seen(world.at(location), "k"))
          }
          return told.join()
        })
      const told = yield* story(1)
      expect(yield* story(1)).toBe(told)
      expect(yield* story(2)).not.toBe(told)
    })
  )
})

it.effect("what was there at the start is read, overwritten, deleted and listed like anything else", () =>
  Effect.gen(function* () {
    const world = KvSimulated.makeWorld({
      latency: "none",
      consistency: "immediate",
      initial: (key) =>
        key.startsWith("i") ? { value: value(Number(key.slice(1))), metadata: { was: "there" } } : undefined,
      initialKeys: () => ["i1", "i2", "i3"]
    })
    const kv = world.at(0)
    expect(yield* seen(kv, "i7")).toBe(7)
    expect(yield* seen(kv, "x")).toBe(-1)
    yield* kv.put("i1", value(100))
    yield* kv.delete("i2")
    yield* kv.put("n", value(0))
    expect((yield* kv.list()).keys).toEqual([
      { name: "i1", expiration: undefined, metadata: null },
      { name: "i3", expiration: undefined, metadata: { was: "there" } },
      { name: "n", expiration: undefined, metadata: null }
    ])
    expect(world.current("i1", 0)?.value).toEqual(value(100))
    expect(world.current("i2", 0)).toBeUndefined()
  })
)
