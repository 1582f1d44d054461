import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Migrated } from "../../src/programs/migrateMode.ts"
import type { KvOperation } from "../../src/services/Kv.ts"
import { type Mode, otherThan } from "../../src/services/RecordedMode.ts"
import { bytes } from "../contracts/kvValues.ts"
import * as ModesWorld from "../support/modesWorld.ts"

const [plain, notes] = ModesWorld.collections

const begin = TestClock.adjust("100 days")

const tick = TestClock.adjust("1 millis")

const modes: ReadonlyArray<Mode> = ["kv", "durable"]

const put = (world: ModesWorld.World, mode: Mode, key: string, value = key, tags: ReadonlyArray<string> = []) =>
  Effect.zipRight(
    tick,
    world.in(mode, (store) => store.set(plain, key, bytes(value), { tags }))
  )

const remove = (world: ModesWorld.World, mode: Mode, key: string) =>
  Effect.zipRight(
    tick,
    world.in(mode, (store) => store.delete(plain, key))
  )

const invalidate = (world: ModesWorld.World, mode: Mode, tag: string) =>
  Effect.zipRight(
    tick,
    world.in(mode, (store) => store.invalidateTags([tag]))
  )

const entryIn = (world: ModesWorld.World, mode: Mode, key: string, collection = plain) =>
  Effect.map(
    world.in(mode, (store) => store.get(collection, key)),
    ({ entry }) => entry
  )

const textIn = (world: ModesWorld.World, mode: Mode, key: string) =>
  Effect.map(entryIn(world, mode, key), (entry) => entry && new TextDecoder().decode(entry.value))

/** Runs until nothing is left, `pageEntries` at a time, and gives the last part. */
const finish = (world: ModesWorld.World, to: Mode, options: { readonly operations?: number } = {}) =>
  Effect.gen(function* () {
    let part: Migrated | undefined
    do {
      part = yield* world.migrate({ to, pageEntries: 2, cursor: part?.cursor, ...options })
    } while (part.cursor !== undefined)
    return part
  })

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
      }),
    { fastCheck: { numRuns: 30 } }
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

describe("what was handed over", () => {
  it.effect.each(modes)("and is deleted in the mode %s is dropped on the way back", (to) =>
    Effect.gen(function* () {
      const from = otherThan(to)
      const world = yield* ModesWorld.make()
      yield* begin
      for (const key of ["deleted", "changed", "kept"]) yield* put(world, from, key)
      yield* finish(world, to)
      yield* remove(world, to, "deleted")
      yield* put(world, to, "changed", "2")
      yield* finish(world, to)
      expect(yield* textIn(world, to, "deleted")).toBeUndefined()
      yield* finish(world, from)
      expect(yield* textIn(world, from, "deleted")).toBeUndefined()
      const { durable } = yield* world.stores.open
      expect(yield* durable.agreed(["default/deleted"])).toStrictEqual([undefined])
      expect(yield* textIn(world, from, "changed")).toBe("2")
      expect(yield* textIn(world, from, "kept")).toBe("kept")
    })
  )

  it.effect.each(modes)("never to the mode %s stays where it is", (to) =>
    Effect.gen(function* () {
      const from = otherThan(to)
      const world = yield* ModesWorld.make()
      yield* begin
      for (const key of ["early", "again"]) yield* put(world, from, key)
      yield* finish(world, to)
      yield* remove(world, to, "again")
      for (const key of ["late", "again"]) yield* put(world, from, key, "late")
      yield* finish(world, from)
      const values = yield* Effect.forEach(["early", "late", "again"], (key) => textIn(world, from, key))
      expect(values).toStrictEqual(["early", "late", "late"])
    })
  )

  it.effect.each(modes)("to %s, and written on both sides, is what was written later", (to) =>
    Effect.gen(function* () {
      const from = otherThan(to)
      const world = yield* ModesWorld.make()
      yield* begin
      for (const key of ["a", "b"]) yield* put(world, from, key)
      yield* finish(world, to)
      yield* put(world, to, "a", "new flag")
      yield* put(world, from, "a", "old flag, later")
      yield* put(world, from, "b", "old flag")
      yield* put(world, to, "b", "new flag, later")
      yield* finish(world, to)
      expect(yield* textIn(world, to, "a")).toBe("old flag, later")
      expect(yield* textIn(world, to, "b")).toBe("new flag, later")
    })
  )

  it.effect.each(modes)("to %s, and deleted by an isolate that ran the old flag, is dropped by the next pass", (to) =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      yield* put(world, otherThan(to), "a")
      yield* finish(world, to)
      yield* remove(world, otherThan(to), "a")
      yield* finish(world, to)
      expect(yield* textIn(world, to, "a")).toBeUndefined()
    })
  )
})

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
    }),
  { fastCheck: { numRuns: 100 } }
)

it.effect("an object that fell behind what it was told of gets it again", () =>
  Effect.gen(function* () {
    const world = yield* ModesWorld.make()
    yield* begin
    yield* put(world, "durable", "a", "old")
    yield* put(world, "kv", "a", "new")
    const { durable, kv } = yield* world.stores.open
    yield* durable.agree((yield* kv.page(undefined, 10)).heads, "kv")
    yield* TestClock.adjust("2 hours")
    expect(yield* finish(world, "durable")).toMatchObject({ copied: 1 })
    expect(yield* textIn(world, "durable", "a")).toBe("new")
  })
)

describe("a store that was emptied while the other one was in force", () => {
  it.effect("is filled again, and takes nothing with it", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      for (const key of ["a", "b"]) yield* put(world, "kv", key)
      yield* finish(world, "durable")
      yield* TestClock.adjust("61 minutes")
      for (const key of ["a", "b"]) yield* world.namespace.delete(key)
      expect(yield* finish(world, "durable")).toMatchObject({ dropped: 0 })
      expect(yield* textIn(world, "durable", "a")).toBe("a")
      expect(yield* world.migrate({ to: "kv" })).toMatchObject({ copied: 2 })
      expect(yield* textIn(world, "kv", "b")).toBe("b")
      yield* finish(world, "durable")
      expect(yield* textIn(world, "durable", "a")).toBe("a")
    })
  )

  it.effect("keeps the deletes of isolates that ran its flag for a while, whoever changes the flag how often", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      for (const key of ["a", "b"]) yield* put(world, "kv", key)
      yield* finish(world, "durable")
      yield* TestClock.adjust("30 minutes")
      yield* finish(world, "kv")
      yield* TestClock.adjust("20 minutes")
      yield* remove(world, "durable", "a")
      yield* remove(world, "kv", "b")
      yield* finish(world, "kv")
      expect(yield* textIn(world, "kv", "a")).toBeUndefined()
      yield* TestClock.adjust("2 hours")
      yield* finish(world, "durable")
      expect(yield* textIn(world, "durable", "b")).toBeUndefined()
    })
  )
})

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

describe("entries that Larder never wrote", () => {
  it.effect("come along byte for byte, with the end that KV has for them", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      const marked = Uint8Array.of(0xef, 0xbb, 0xbf, 65)
      yield* world.namespace.put("csv", marked, { expirationTtl: 600 })
      yield* world.namespace.put("other", bytes("1"), { metadata: { theirs: true } })
      yield* finish(world, "durable")
      expect((yield* entryIn(world, "durable", "csv"))?.value).toStrictEqual(marked)
      yield* TestClock.adjust("601 seconds")
      expect(yield* entryIn(world, "durable", "csv")).toBeUndefined()
      expect(yield* textIn(world, "durable", "other")).toBe("1")
      yield* finish(world, "kv")
      expect(Option.getOrThrow(yield* world.namespace.get("other")).metadata).toStrictEqual({ theirs: true })
    })
  )

  it.effect("that somebody else has changed since are copied anew, and those deleted in durable mode leave KV", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      for (const key of ["a", "b", "c"]) yield* world.namespace.put(key, bytes("1"))
      yield* finish(world, "durable")
      yield* remove(world, "durable", "b")
      yield* put(world, "durable", "c", "ours")
      yield* finish(world, "kv")
      expect((yield* world.namespace.list()).keys.map(({ name }) => name)).toStrictEqual(["a", "c"])
      for (const value of ["2", "3"]) {
        yield* world.namespace.put("a", bytes(value))
        yield* finish(world, "durable")
        expect(yield* textIn(world, "durable", "a")).toBe(value)
      }
      expect(yield* textIn(world, "durable", "c")).toBe("ours")
      yield* finish(world, "kv")
      expect(yield* textIn(world, "kv", "a")).toBe("3")
    })
  )

  it.effect("are never deleted because the objects do not know them", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      yield* put(world, "durable", "ours")
      yield* world.namespace.put("theirs", bytes("1"))
      yield* world.namespace.put("~not a collection/x", bytes("1"))
      yield* world.namespace.put("~default/theirs", bytes("not where Larder would put it"))
      yield* finish(world, "kv")
      yield* finish(world, "kv")
      expect((yield* world.namespace.list()).keys.map(({ name }) => name)).toStrictEqual([
        "ours",
        "theirs",
        "~default/theirs",
        "~not a collection/x"
      ])
      expect(yield* world.migrate({ to: "durable" })).toMatchObject({ entries: 2 })
      expect(yield* textIn(world, "durable", "theirs")).toBe("1")
    })
  )
})

describe("a run", () => {
  const kinds: ReadonlyArray<readonly [string, (operation: KvOperation) => "fail" | "lost"]> = [
    ["refused", () => "fail"],
    ["done, and its reply lost", () => "lost"]
  ]

  it.effect.each(modes.flatMap((to) => kinds.map(([name, kind]) => [to, name, kind] as const)))(
    "to %s that dies at any KV operation, which was %s, is finished by the next",
    ([to, _, kind]) =>
      Effect.gen(function* () {
        const from = otherThan(to)
        for (let dies = 0; dies < 40; dies++) {
          const calls = { count: 0 }
          const world = yield* ModesWorld.make({
            faults: (operation) =>
              calls.count++ === dies ? { kind: kind(operation), reason: "Unavailable" } : undefined
          })
          yield* begin
          for (const key of ["a", "b", "c", "d"]) yield* put(world, from, key, key, ["t"])
          yield* finish(world, to)
          yield* remove(world, from, "a")
          yield* put(world, from, "b", "2")
          yield* put(world, to, "c", "3")
          yield* put(world, from, "e")
          world.switches.faulty = true
          const died = yield* Effect.either(finish(world, to))
          world.switches.faulty = false
          if (died._tag === "Right") {
            expect(calls.count).toBeLessThanOrEqual(dies)
            return
          }
          yield* finish(world, to)
          const values = yield* Effect.forEach(["a", "b", "c", "d", "e"], (key) => textIn(world, to, key))
          expect(values).toStrictEqual([undefined, "2", "3", "d", "e"])
          yield* remove(world, to, "e")
          yield* finish(world, to)
          expect(yield* textIn(world, to, "e")).toBeUndefined()
        }
        expect.unreachable("a run has fewer operations")
      })
  )

  it.effect("stops when its operations are spent, and goes on from its cursor", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      for (let number = 0; number < 7; number++) yield* put(world, "durable", `k${number}`)
      const parts = [yield* world.migrate({ to: "kv", pageEntries: 2, operations: 1 })]
      while (parts.at(-1)!.cursor !== undefined) {
        parts.push(yield* world.migrate({ to: "kv", pageEntries: 2, operations: 1, cursor: parts.at(-1)!.cursor }))
      }
      expect(parts.map(({ copied }) => copied)).toStrictEqual([0, 0, 2, 2, 2, 1])
      expect(parts.map(({ cursor }) => cursor?.split(".")[1])).toStrictEqual([
        "drop",
        "copy",
        "copy",
        "copy",
        "copy",
        undefined
      ])
      const wrong = yield* Effect.flip(world.migrate({ to: "durable", cursor: parts[0]!.cursor }))
      expect(wrong).toMatchObject({ reason: "BadCursor" })
    })
  )

  it.effect("goes on without an entry that KV refuses just now, and says that another pass is needed", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make({
        faults: (operation) => (operation === "put" ? { kind: "fail", reason: "RateLimited" } : undefined)
      })
      yield* begin
      yield* put(world, "durable", "a")
      world.switches.faulty = true
      expect(yield* world.migrate({ to: "kv" })).toMatchObject({ copied: 0, refused: 1, settled: false })
      world.switches.faulty = false
      expect(yield* world.migrate({ to: "kv" })).toMatchObject({ copied: 1, refused: 0, settled: true })
    })
  )

  it.effect.each(modes)("to %s bills what its dry run said, and the dry run changes nothing", (to) =>
    Effect.gen(function* () {
      const from = otherThan(to)
      const world = yield* ModesWorld.make()
      yield* begin
      for (let number = 0; number < 5; number++) yield* put(world, from, `k${number}`)
      const said = yield* world.migrate({ to, dryRun: true })
      expect(said).toMatchObject({ entries: 5, copied: 5, dropped: 0, cursor: undefined, dryRun: true })
      expect(yield* textIn(world, to, "k0")).toBeUndefined()
      const before = world.ledger.report()
      const done = yield* world.migrate({ to })
      const after = world.ledger.report()
      for (const kind of ["reads", "writes", "deletes", "lists"] as const) {
        const billed = after.byNamespace.CACHE_KV!.kv[kind] - before.byNamespace.CACHE_KV!.kv[kind]
        expect([kind, billed]).toStrictEqual([kind, said.billed.kv[kind]])
      }
      expect(done.billed.durableObject.rowsWritten).toBeGreaterThanOrEqual(said.billed.durableObject.rowsWritten)
      expect(done.copied).toBe(said.copied)
      expect(said.usd).toBeGreaterThan(0)
      expect(yield* world.migrate({ to, dryRun: true })).toMatchObject({ copied: 0 })
    })
  )
})

describe("while the objects cannot be reached", () => {
  it.effect("a run to KV takes the snapshot, and one later brings what the snapshot did not have", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make({ shards: 2 })
      yield* begin
      for (const key of ["a", "b", "c"]) yield* put(world, "durable", key, key, ["t"])
      yield* put(world, "durable", "dead", "1", ["u"])
      yield* invalidate(world, "durable", "u")
      yield* world.durable.flush
      yield* put(world, "durable", "d")
      yield* remove(world, "durable", "c")
      world.switches.unreachable = true
      const first = yield* finish(world, "kv")
      expect(first).toMatchObject({ from: "snapshot", settled: false })
      expect(yield* textIn(world, "kv", "a")).toBe("a")
      expect(yield* textIn(world, "kv", "dead")).toBeUndefined()
      yield* remove(world, "kv", "a")
      yield* put(world, "kv", "b", "2")
      const again = yield* finish(world, "kv")
      expect(again).toMatchObject({ from: "snapshot", copied: 0, settled: false })
      expect(yield* textIn(world, "kv", "a")).toBeUndefined()
      world.switches.unreachable = false
      const last = yield* finish(world, "kv")
      expect(last).toMatchObject({ from: "durable", settled: true })
      const values = yield* Effect.forEach(["a", "b", "c", "d"], (key) => textIn(world, "kv", key))
      expect(values).toStrictEqual([undefined, "2", undefined, "d"])
    })
  )

  it.effect("a run to the objects fails, and changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      yield* put(world, "kv", "a")
      world.switches.unreachable = true
      expect(yield* Effect.flip(world.migrate({ to: "durable" }))).toMatchObject({ reason: "Unavailable" })
      expect(yield* textIn(world, "kv", "a")).toBe("a")
    })
  )

  it.effect.each([true, false])("what had to be kept outside of them is handed over, too (reached again: %s)", (back) =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      yield* put(world, "durable", "a")
      yield* world.durable.flush
      world.switches.unreachable = true
      const { acknowledged } = yield* put(world, "durable", "a", "outside")
      expect(acknowledged).toBe("outside")
      world.switches.unreachable = !back
      yield* finish(world, "kv")
      expect(yield* textIn(world, "kv", "a")).toBe("outside")
    })
  )
})
