import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import { type Mode, otherThan } from "../../../src/services/migration/RecordedMode.ts"
import {
  begin,
  entryIn,
  finish,
  invalidate,
  modes,
  put,
  remove,
  textIn,
  tick
} from "../../support/migration/modesActs.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"

const [plain, notes] = ModesWorld.collections

const key = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).filter((key) => key !== "." && key !== ".."),
  fc.constantFrom("a".repeat(512), "é".repeat(256), "~x", "#y", "~notes/z", "a/b", "__proto__", "\u0001".repeat(510))
)

const given = fc.record({
  collection: fc.constantFrom(plain, notes),
  key,
  value: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(Uint8Array.of(0xef, 0xbb, 0xbf, 65))),
  contentType: fc.constantFrom("text/plain", "application/json", "image/png"),
  tags: fc.uniqueArray(fc.constantFrom("a", "b", "ü".repeat(120)), { maxLength: 3 }),
  ttl: fc.constantFrom(1000, 7_200_000, Number.POSITIVE_INFINITY)
})

const distinct = fc.uniqueArray(given, {
  selector: ({ collection, key }) => `${collection.name}/${key}`,
  maxLength: 12
})

describe("a switch", () => {
  it.effect.prop(
    "there and back keeps every living entry as it is, whichever store is destroyed behind it",
    [distinct, fc.constantFrom(...modes), fc.integer({ min: 1, max: 3 })],
    ([entries, first, shards]) =>
      virtually(
        Effect.gen(function* () {
          const world = yield* ModesWorld.make({ shards })
          yield* begin
          for (const { collection, key, value, ...options } of entries) {
            yield* tick
            yield* world.in(first, (store) => store.set(collection, key, value, options))
          }
          yield* TestClock.adjust("2 seconds")
          const heldIn = (mode: Mode) =>
            Effect.forEach(entries, ({ collection, key }) => entryIn(world, mode, key, collection))
          const before = yield* heldIn(first)
          expect(before.map((entry) => entry !== undefined)).toStrictEqual(entries.map(({ ttl }) => ttl > 1000))
          const there = yield* finish(world, otherThan(first))
          expect(there.settled).toBe(true)
          expect(yield* heldIn(otherThan(first))).toStrictEqual(before)
          if (first === "durable") yield* world.destroyObjects
          else for (const { name } of (yield* world.namespace.list()).keys) yield* world.namespace.delete(name)
          yield* TestClock.adjust("1 hour")
          yield* finish(world, first)
          expect(yield* heldIn(first)).toStrictEqual(before)
        })
      ),
    { fastCheck: { numRuns: runs(15) } }
  )

  it.effect("does nothing the second time, and costs the namespace no operation but the lists", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      for (const key of ["a", "b", "c"]) yield* put(world, "durable", key)
      expect(yield* world.migrate({ to: "kv" })).toMatchObject({ entries: 3, copied: 3, dropped: 0 })
      expect(yield* world.migrate({ to: "kv" })).toMatchObject({ entries: 3, copied: 0, dropped: 0, settled: true })
      const { kv } = world.ledger.report().byNamespace.CACHE_KV!
      expect(kv).toStrictEqual({ reads: 3, writes: 3, deletes: 0, lists: 2 })
    })
  )
})

it.effect("coming back, an entry that is the same in both stores costs one KV read", () =>
  Effect.gen(function* () {
    const world = yield* ModesWorld.make()
    yield* begin
    for (const key of ["a", "b", "c"]) yield* put(world, "durable", key)
    yield* finish(world, "kv")
    yield* TestClock.adjust("2 hours")
    const { kv: before } = world.ledger.report().byNamespace.CACHE_KV!
    expect(yield* world.migrate({ to: "durable" })).toMatchObject({ entries: 3, copied: 0, dropped: 0 })
    const { kv } = world.ledger.report().byNamespace.CACHE_KV!
    expect([kv.reads - before.reads, kv.writes - before.writes]).toStrictEqual([3, 0])
  })
)
/** What happens in a story, one operation a millisecond; a switch makes both passes. */
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("put" as const), key: fc.nat(4), tagged: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("invalidate" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("switch" as const),
      /** Written by isolates with the old flag between the two passes. */
      late: fc.array(fc.nat(4), { maxLength: 3 }),
      operations: fc.constantFrom(1, 900),
      /** Minutes until the story goes on. */
      pause: fc.constantFrom(0, 30, 90)
    })
  }
)

it.effect.prop(
  "a life of writes, deletes, invalidations and switches ≡ a Map",
  [fc.array(event, { maxLength: 25 }), fc.constantFrom(...modes), fc.constantFrom(1, 3)],
  ([story, first, shards]) =>
    virtually(
      Effect.gen(function* () {
        const world = yield* ModesWorld.make({ shards })
        yield* begin
        const model = new Map<string, { readonly value: string; readonly tagged: boolean }>()
        let mode = first
        for (const [at, step] of story.entries()) {
          const name = "key" in step ? `k${step.key}` : ""
          if (step.kind === "put") {
            const value = `${at}`
            yield* put(world, mode, name, value, step.tagged ? ["t"] : [])
            model.set(name, { value, tagged: step.tagged })
          } else if (step.kind === "delete") {
            yield* remove(world, mode, name)
            model.delete(name)
          } else if (step.kind === "invalidate") {
            yield* invalidate(world, mode, "t")
            for (const [key, { tagged }] of model) if (tagged) model.delete(key)
          } else {
            const to = otherThan(mode)
            yield* finish(world, to, { operations: step.operations })
            for (const number of step.late) {
              yield* put(world, mode, `k${number}`, `${at} late`)
              model.set(`k${number}`, { value: `${at} late`, tagged: false })
            }
            yield* finish(world, to, { operations: step.operations })
            yield* TestClock.adjust(`${step.pause} minutes`)
            mode = to
          }
        }
        for (let number = 0; number <= 4; number++) {
          expect([number, yield* textIn(world, mode, `k${number}`)]).toStrictEqual([
            number,
            model.get(`k${number}`)?.value
          ])
        }
      })
    ),
  {
    fastCheck: {
      numRuns: runs(20),
      examples: [
        // Two hand-overs of one entry in one millisecond, there and back.
        [
          [
            { kind: "switch", late: [0], operations: 1, pause: 0 },
            { kind: "switch", late: [], operations: 1, pause: 90 },
            { kind: "delete", key: 0 },
            { kind: "switch", late: [], operations: 1, pause: 0 }
          ],
          "kv",
          1
        ]
      ]
    }
  }
)
describe("a tag", () => {
  it.effect.each(modes)("that was invalidated in the mode the entries come from stays so in the mode %s", (to) =>
    Effect.gen(function* () {
      const from = otherThan(to)
      const world = yield* ModesWorld.make({ shards: 2 })
      yield* begin
      yield* put(world, from, "synced", "1", ["t"])
      yield* finish(world, to)
      yield* put(world, to, "unsynced", "1", ["t"])
      yield* put(world, from, "dead", "1", ["t"])
      yield* invalidate(world, from, "t")
      yield* put(world, from, "after", "1", ["t"])
      yield* finish(world, to)
      for (const key of ["synced", "unsynced", "dead"]) expect(yield* textIn(world, to, key)).toBeUndefined()
      expect(yield* textIn(world, to, "after")).toBe("1")
    })
  )
})
