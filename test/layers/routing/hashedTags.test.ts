import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { Kv, limits } from "../../../src/services/kv/Kv.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { hashedTag, namedTags } from "../../../src/services/store/model/Tags.ts"
import { Store, type WriteOptions } from "../../../src/services/store/Store.ts"
import { finish } from "../../support/migration/modesActs.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"
import { runs } from "../../support/runs.ts"
import { text } from "../../support/store/lookups.ts"
import { virtually } from "../../support/virtually.ts"
import { directMode, kvMode } from "../../support/worlds.ts"

/** Pairs of tags that have one hash. */
const collisions = [
  ["user:1132783", "user:1729198"],
  ["user:286158", "user:478766"],
  ["user:486417", "user:503732"]
] as const

const long = (count: number) => Array.from({ length: count }, (_, at) => `${at}`.padStart(256, "t"))

const bytes = (value: string) => new TextEncoder().encode(value)

const every = { jitter: 0, memoryTtl: 0, edgeTtl: 0 } as const

const collections = [define("notes", every), define("pages", { ...every, packed: true })]

/** Each operation in an isolate of its own. */
const isolates = (mode: typeof kvMode | typeof directMode) => {
  const kv = KvMemory.make()
  const inOne = <A, E>(run: (store: Store["Type"]) => Effect.Effect<A, E>) =>
    Effect.provide(Effect.flatMap(Store, run), mode({ kv: Layer.succeed(Kv, kv) }))
  return { kv, inOne }
}

for (const [name, mode, all] of [
  ["StoreKv", kvMode, collections],
  ["StoreDirect", directMode, collections.slice(0, 1)]
] as const) {
  describe(`tags without room for their text (${name})`, () => {
    it.effect("end their entry one by one, and leave its value plain", () =>
      virtually(
        Effect.gen(function* () {
          const { inOne, kv } = isolates(mode)
          const tags = long(128)
          for (const collection of all) {
            for (const ending of [tags[0]!, tags[127]!]) {
              yield* inOne((store) => store.set(collection, "k", bytes("1"), { tags }))
              yield* inOne((store) => store.set(collection, "other", bytes("2"), { tags: ["x"] }))
              yield* TestClock.adjust("2 seconds")
              yield* inOne((store) => store.invalidateTags(["128"]))
              assert.strictEqual(text(yield* inOne((store) => store.get(collection, "k"))), "1")
              const listed = yield* inOne((store) => store.list(collection, {}))
              assert.deepStrictEqual(
                listed.keys.map(({ key, tags }) => [key, namedTags(tags).length]),
                [
                  ["k", collection.policy.packed ? 128 : 0],
                  ["other", 1]
                ]
              )
              yield* inOne((store) => store.invalidateTags([ending]))
              assert.isUndefined((yield* inOne((store) => store.get(collection, "k"))).entry)
              if (mode === kvMode) {
                const left = yield* inOne((store) => store.list(collection, {}))
                assert.deepStrictEqual(
                  left.keys.map(({ key }) => key),
                  ["other"]
                )
              }
              assert.strictEqual(text(yield* inOne((store) => store.get(collection, "other"))), "2")
            }
          }
          yield* inOne((store) => store.set(collections[0]!, "plain", bytes("plain"), { tags }))
          const stored = yield* kv.get("~notes/plain")
          assert.strictEqual(stored._tag === "Some" && new TextDecoder().decode(stored.value.value), "plain")
        })
      )
    )

    it.effect("do not make a value of 25 MiB too large", () =>
      virtually(
        Effect.gen(function* () {
          const { inOne } = isolates(mode)
          yield* inOne((store) =>
            store.set(collections[0]!, "k", new Uint8Array(limits.valueBytes), { tags: long(128) })
          )
          const found = yield* inOne((store) => store.get(collections[0]!, "k"))
          assert.strictEqual(found.entry?.value.byteLength, limits.valueBytes)
        })
      )
    )
  })
}

const tag = fc.oneof(fc.constantFrom(...collisions.flat()), fc.constantFrom("a", "b"))

/** Short ones stay text, many are kept as hashes. */
const tagged = fc.tuple(fc.uniqueArray(tag, { maxLength: 4 }), fc.boolean()).map(([tags, crowded]) => ({
  tags: crowded ? [...tags, ...long(5)] : tags
}))

const act = fc.oneof(
  fc.record({
    kind: fc.constant("set" as const),
    collection: fc.constantFrom(0, 1),
    key: fc.constantFrom("k1", "k2"),
    options: tagged
  }),
  fc.record({ kind: fc.constant("invalidate" as const), tags: fc.uniqueArray(tag, { minLength: 1, maxLength: 2 }) })
)

const oneHash = (a: string, b: string): boolean => hashedTag(a) === hashedTag(b)

it.effect.prop(
  "an invalidation ends whatever carries the tag, and beside it only what carries one of the same hash",
  [fc.array(act, { maxLength: 14 })],
  ([acts]) =>
    virtually(
      Effect.gen(function* () {
        const { inOne } = isolates(kvMode)
        const model = new Map<string, { readonly tags: ReadonlyArray<string>; ended: "no" | "maybe" | "yes" }>()
        for (const act of acts) {
          yield* TestClock.adjust("2 seconds")
          if (act.kind === "set") {
            const collection = collections[act.collection]!
            yield* inOne((store) => store.set(collection, act.key, bytes("1"), act.options as WriteOptions))
            model.set(`${act.collection}/${act.key}`, { tags: act.options.tags, ended: "no" })
          } else {
            yield* inOne((store) => store.invalidateTags(act.tags))
            for (const one of model.values()) {
              if (one.tags.some((tag) => act.tags.includes(tag))) one.ended = "yes"
              else if (one.ended === "no" && one.tags.some((a) => act.tags.some((b) => oneHash(a, b)))) {
                one.ended = "maybe"
              }
            }
          }
          for (const [id, { ended }] of model) {
            const found = yield* inOne((store) => store.get(collections[Number(id[0])]!, id.slice(2)))
            if (ended === "no") assert.isDefined(found.entry, id)
            if (ended === "yes") assert.isUndefined(found.entry, id)
          }
        }
      })
    ),
  { fastCheck: { numRuns: runs(40) } }
)

const [, notes] = ModesWorld.collections

it.effect("what a switch carries over with hashes of its tags is ended by them in either mode", () =>
  virtually(
    Effect.gen(function* () {
      const world = yield* ModesWorld.make({ shards: 2 })
      const tags = long(100)
      yield* TestClock.adjust("30 days")
      for (const key of ["a", "b", "c"]) {
        const own = [...tags.slice(1), `of ${key}`]
        yield* world.in("kv", (store) => store.set(notes, key, bytes(key), { tags: own }))
      }
      yield* world.in("kv", (store) => store.set(notes, "short", bytes("short"), { tags: ["of a"] }))
      const living = (mode: "kv" | "durable") =>
        Effect.map(
          Effect.forEach(["a", "b", "c", "short"], (key) => world.in(mode, (store) => store.get(notes, key))),
          (found) => found.flatMap((lookup) => text(lookup) ?? [])
        )
      const invalidate = (mode: "kv" | "durable", tag: string) =>
        Effect.zipRight(
          TestClock.adjust("2 seconds"),
          world.in(mode, (store) => store.invalidateTags([tag]))
        )
      yield* finish(world, "durable")
      yield* invalidate("durable", tags[0]!)
      assert.deepStrictEqual(yield* living("durable"), ["a", "b", "c", "short"])
      yield* invalidate("durable", "of a")
      assert.deepStrictEqual(yield* living("durable"), ["b", "c"])
      yield* TestClock.adjust("1 hour")
      yield* finish(world, "kv")
      assert.deepStrictEqual(yield* living("kv"), ["b", "c"])
      yield* invalidate("kv", "of b")
      assert.deepStrictEqual(yield* living("kv"), ["c"])
      yield* TestClock.adjust("1 hour")
      yield* finish(world, "durable")
      assert.deepStrictEqual(yield* living("durable"), ["c"])
      yield* invalidate("durable", tags[5]!)
      assert.deepStrictEqual(yield* living("durable"), [])
    })
  )
)

it.effect("tags that are kept as text cost an invalidation one write each, and a read one read each", () =>
  virtually(
    Effect.gen(function* () {
      const ledger = LedgerMemory.make(0)
      const metered = KvMetered.make(KvMemory.make(), ledger, "test")
      const { inOne } = {
        inOne: <A, E>(run: (store: Store["Type"]) => Effect.Effect<A, E>) =>
          Effect.provide(Effect.flatMap(Store, run), kvMode({ kv: Layer.succeed(Kv, metered) }))
      }
      yield* inOne((store) => store.set(collections[0]!, "k", bytes("1"), { tags: ["a", "b"] }))
      yield* inOne((store) => store.invalidateTags(["a", "b"]))
      yield* inOne((store) => store.get(collections[0]!, "k"))
      const { kv } = ledger.report().byNamespace.test!
      assert.deepStrictEqual(kv, { reads: 3, writes: 3, deletes: 0, lists: 0 })
    })
  )
)
