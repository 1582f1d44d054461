import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { makeLocalInvalidations } from "../../../../src/layers/tiers/internal/localInvalidations.ts"
import { makeMemoryAndEdge } from "../../../../src/layers/tiers/internal/memoryAndEdge.ts"
import * as MemoryTierTinyLfu from "../../../../src/layers/tiers/MemoryTierTinyLfu.ts"
import { defaults } from "../../../../src/services/settings/Settings.ts"
import { define, type PolicyInput } from "../../../../src/services/store/model/Collection.ts"
import type { Observation } from "../../../../src/services/store/model/Entry.ts"
import { type Answer, addressOf } from "../../../../src/services/tiers/ReadPath.ts"
import { runs } from "../../../support/runs.ts"
import { sizesAround } from "../../../support/sizes.ts"
import { watchedEdge } from "../../../support/tiers/watchedEdge.ts"
import { virtually } from "../../../support/virtually.ts"

/** Edge cache calls that one batch asks with: half of those that it may make. */
const edgeCalls = Math.ceil(defaults.edgeOperations / 2)

const seen = (readAt: number, wall = readAt, expiresAt = Number.POSITIVE_INFINITY): Observation => ({
  entry: {
    value: new Uint8Array(1),
    contentType: "",
    tags: [],
    stamp: { wall, counter: 0, writer: "w" },
    expiresAt,
    loadMillis: 0
  },
  readAt
})
const absent = (readAt: number): Observation => ({ entry: undefined, readAt })
const from = (tier: Answer["tier"], observation: Observation): Answer => ({ tier, observation, keep: true })

const world = (policy: PolicyInput = {}) => {
  const collection = define("notes", { jitter: 0, memoryTtl: "60 seconds", edgeTtl: "30 seconds", ...policy })
  const memory = MemoryTierTinyLfu.make(10_000_000)
  const { calls, edge } = watchedEdge()
  const marks = makeLocalInvalidations(100)
  const tiers = makeMemoryAndEdge(defaults, memory, edge, (value) => value.byteLength, marks)
  return { at: (key: string) => addressOf(collection, key), calls, edge, marks, memory, tiers }
}

describe("many keys at once", () => {
  it.effect.prop(
    "ask edge for no more than one batch may, and each key gets one answer",
    [sizesAround(edgeCalls, 3)],
    ([count]) =>
      virtually(
        Effect.gen(function* () {
          const { at, calls, edge, tiers } = world()
          const addresses = Array.from({ length: count }, (_, number) => at(`k${number}`))
          for (const { id } of addresses) yield* edge.put(id, seen(0), 20_000)
          calls.length = 0
          const found = yield* tiers.leased(addresses, (leases) => tiers.onEdgeTogether(addresses, leases))
          expect(calls).toStrictEqual(addresses.slice(0, edgeCalls).map(({ id }) => `match ${id}`))
          expect(found.map(Option.isSome)).toStrictEqual(addresses.map((_, index) => index < edgeCalls))
        })
      ),
    { fastCheck: { numRuns: runs(40) } }
  )
})

describe("a fill", () => {
  it.effect.prop(
    "draws once how much earlier its ttl ends, for both tiers; what was drawn before stays, and without jitter nothing is",
    [fc.constantFrom(0, 0.1, 0.5), fc.option(fc.double({ min: 0, max: 0.99, noNaN: true }), { nil: undefined })],
    ([jitter, draw]) =>
      virtually(
        Effect.gen(function* () {
          const { at, tiers } = world({ jitter })
          const given = { ...seen(0), ...(draw === undefined ? {} : { draw }) }
          const filled = yield* Effect.forEach(["a", "b", "c", "d"], (key) =>
            tiers.fill(at(key), from("durable", given))
          )
          for (const observation of filled) {
            if (jitter === 0 || draw !== undefined) expect(observation.draw).toBe(draw)
            const share = tiers.untilIn("memory", at("a"), observation) / 60_000
            expect(share).toBeLessThanOrEqual(1)
            expect(share).toBeGreaterThan(1 - jitter - 1e-9)
            expect(tiers.untilIn("edge", at("a"), observation) / 30_000).toBeCloseTo(share)
          }
          const distinct = new Set(filled.map((one) => one.draw)).size
          expect(distinct).toBe(jitter === 0 || draw !== undefined ? 1 : filled.length)
        })
      ),
    { fastCheck: { numRuns: runs(60) } }
  )

  it.effect("goes into the tiers above the one that answered, and only where the collection wants them", () =>
    Effect.gen(function* () {
      for (const [tier, policy, put] of [
        ["edge", {}, 0],
        ["kv", {}, 1],
        ["durable", {}, 1],
        ["loader", {}, 1],
        ["kv", { edgeTtl: 0 }, 0]
      ] as const) {
        const { at, calls, memory, tiers } = world(policy)
        yield* tiers.fill(at("a"), from(tier, seen(0)))
        expect([tier, calls.length]).toStrictEqual([tier, put])
        expect(memory.peek("notes/a", 0)).toBeDefined()
      }
      const { at, calls, memory, tiers } = world({ memoryTtl: 0 })
      yield* tiers.fill(at("a"), from("kv", seen(0)))
      expect([memory.stats().entries, calls]).toStrictEqual([0, ["put notes/a"]])
    })
  )

  it.effect("leaves no trace where it must not be kept, or a write has overtaken its read", () =>
    Effect.gen(function* () {
      const { at, calls, marks, memory, tiers } = world()
      yield* tiers.fill(at("a"), { ...from("kv", seen(0)), keep: false })
      yield* tiers.leased([at("a")], ([lease]) => {
        marks.overtake("notes/a", undefined)
        return tiers.fill(at("a"), from("kv", seen(0)), lease)
      })
      expect([memory.stats().entries, calls]).toStrictEqual([0, []])
    })
  )

  it.effect("of KV does not put an older entry in place of a younger one for two minutes after that was written", () =>
    Effect.gen(function* () {
      for (const [millis, wall] of [
        [119_999, 1000],
        [120_000, 500]
      ] as const) {
        const { at, tiers } = world({ ttl: "1 hour" })
        yield* TestClock.setTime(1000)
        yield* tiers.remember(at("a"), seen(1000))
        const { adjust, setTime } = TestClock
        yield* setTime(1000 + millis)
        const filled = yield* tiers.fill(at("a"), from("kv", seen(1000 + millis, 500)))
        expect(filled.entry?.stamp.wall).toBe(wall)
        expect(filled.readAt).toBe(1000 + millis)
        yield* adjust(-(1000 + millis))
      }
    })
  )
})

describe("a write, once acknowledged", () => {
  it.effect("is put to edge once, a delete deleted there once, and memory sees either", () =>
    Effect.gen(function* () {
      const { at, calls, memory, tiers } = world()
      yield* tiers.remember(at("a"), seen(0))
      expect(calls).toStrictEqual(["put notes/a"])
      yield* tiers.remember(at("a"), absent(0))
      expect(calls).toStrictEqual(["put notes/a", "delete notes/a"])
      expect(memory.peek("notes/a", 0)).toMatchObject({ entry: undefined })
    })
  )

  it.effect("that is older than what memory holds changes nothing anywhere", () =>
    Effect.gen(function* () {
      const { at, calls, memory, tiers } = world()
      yield* tiers.remember(at("a"), seen(10, 20))
      calls.length = 0
      yield* tiers.remember(at("a"), seen(10, 19))
      expect([calls, memory.peek("notes/a", 10)?.entry?.stamp.wall]).toStrictEqual([[], 20])
    })
  )

  it.effect("of unknown outcome leaves nothing in memory, and edge is no answer until its ttl has passed", () =>
    Effect.gen(function* () {
      const { at, calls, edge, memory, tiers } = world()
      yield* tiers.remember(at("a"), seen(0))
      yield* tiers.drop(at("a"))
      expect([memory.stats().entries, calls.at(-1)]).toStrictEqual([0, "delete notes/a"])
      yield* edge.put("notes/a", seen(0), 60_000)
      const found = tiers.leased([at("a")], ([lease]) => tiers.onEdge(at("a"), lease!))
      expect(Option.isNone(yield* found)).toBe(true)
    })
  )
})

describe("what edge holds", () => {
  it.effect("is an answer for the collection's edge ttl from when it was read, and not after", () =>
    Effect.gen(function* () {
      const { at, edge, tiers } = world({ negativeTtl: "5 seconds" })
      const find = tiers.leased([at("a")], ([lease]) => tiers.onEdge(at("a"), lease!))
      for (const [observation, life] of [
        [seen(0), 30_000],
        [absent(0), 5000],
        [seen(0, 0, 7000), 7000]
      ] as const) {
        yield* edge.put("notes/a", observation, 90_000)
        yield* TestClock.setTime(life - 1)
        expect(Option.isSome(yield* find)).toBe(true)
        yield* TestClock.setTime(life)
        expect(Option.isNone(yield* find)).toBe(true)
        yield* TestClock.setTime(0)
      }
    })
  )
})
