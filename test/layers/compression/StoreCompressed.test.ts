import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ValueCodec from "../../../src/layers/compression/internal/valueCodec.ts"
import * as StoreCompressed from "../../../src/layers/compression/StoreCompressed.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { otherThan } from "../../../src/services/migration/RecordedMode.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { entityTag } from "../../../src/services/store/model/EntityTag.ts"
import { codingOf } from "../../../src/services/store/model/ValueCoding.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"
import { storeContract } from "../../contracts/store/Store.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"
import { runs } from "../../support/runs.ts"
import { lookups, text } from "../../support/store/lookups.ts"
import { virtually } from "../../support/virtually.ts"
import { durableMode, kvMode, kvModeWithEdge } from "../../support/worlds.ts"

/** With the store beneath under a name of its own. */
class Beneath extends Effect.Tag("Beneath")<Beneath, Store["Type"]>() {}

const compressing = (store: Store["Type"]) => StoreCompressed.make(store, Effect.sync(ValueCodec.make))

const compressed = <R, E>(world: Layer.Layer<Store | R, E>) =>
  Layer.effect(Store, Effect.map(Store, compressing)).pipe(
    Layer.provideMerge(Layer.effect(Beneath, Store)),
    Layer.provideMerge(world)
  )

for (const compress of [true, false]) {
  const named = (name: string) => `StoreCompressed over ${name}, compress: ${compress}`
  storeContract(named("StoreKv"), () => compressed(kvMode()), { compress })
  storeContract(named("StoreKv with an edge cache"), () => compressed(kvModeWithEdge()), { compress })
  storeContract(named("StoreDurable"), () => compressed(durableMode({ shards: 3 })), { compress })
}

const worlds = [
  ["StoreKv", kvMode],
  ["StoreDurable", durableMode]
] as const

const row = (id: number) =>
  JSON.stringify({ symbol: `SYM${id}`, price: 100 + (id % 7), volume: id * 977, currency: "USD", sector: "technology" })
const table = (rows: number) => bytes(JSON.stringify(Array.from({ length: rows }, (_, id) => JSON.parse(row(id)))))

const json = { contentType: "application/json" }
const pages = define("pages", { jitter: 0, compress: true })
const plain = define("pages", { jitter: 0 })

/** Values that compress, that do not, and types that look like what this layer writes. */
const value = fc.oneof(
  fc.record({
    value: fc.nat(60).map(table),
    contentType: fc.constantFrom("application/json", "text/csv; header=present")
  }),
  fc.record({
    value: fc.uint8Array({ maxLength: 600 }),
    contentType: fc.constantFrom(
      "application/octet-stream",
      "image/png",
      `text/plain;larder=gzip.${"A".repeat(22)}`,
      `text/plain;larder=identity.${"A".repeat(22)};larder=br.${"B".repeat(22)}`,
      `text/x;a=${"b".repeat(240)}`
    )
  })
)

describe("StoreCompressed", () => {
  for (const [name, world] of worlds) {
    const law = (title: string, body: Effect.Effect<void, unknown, Store | Beneath | Kv>) =>
      it.effect(`${title}, over ${name}`, () => virtually(Effect.provide(body, compressed(world()))))

    law(
      "keeps a value in a fifth of its bytes and answers all of it, from get, getMany, held and getOrLoad alike",
      Effect.gen(function* () {
        const store = yield* Store
        const given = table(100)
        yield* store.set(pages, "a", given, json)
        const kept = (yield* (yield* Beneath).get(pages, "a")).entry!
        assert.isBelow(kept.value.byteLength, given.byteLength / 5)
        assert.strictEqual(codingOf(kept.contentType)?.coding, "gzip")
        const loaded = yield* store.getOrLoad(pages, "b", Effect.succeedSome({ ...json, value: given }))
        const [many] = yield* lookups(store, pages, ["a"])
        for (const lookup of [yield* store.get(pages, "a"), many!, loaded, store.held(pages, "a", 1)!]) {
          assert.deepStrictEqual(lookup.entry?.value, given)
          assert.strictEqual(lookup.entry?.contentType, "application/json")
          assert.strictEqual(entityTag(lookup.entry!), entityTag({ ...json, value: given }))
        }
        assert.strictEqual(entityTag(kept), entityTag({ ...json, value: given }))
      })
    )

    law(
      "keeps as it was given what does not become a tenth smaller, its mark included",
      Effect.gen(function* () {
        const store = yield* Store
        const values = [bytes("{}"), bytes(row(1)), Uint8Array.from({ length: 2000 }, (_, i) => (i * i * 31 + i) % 251)]
        for (const given of values) {
          yield* store.set(pages, "a", given, { contentType: given.byteLength > 999 ? "image/png" : "text/plain" })
          const kept = (yield* (yield* Beneath).get(pages, "a")).entry!
          assert.deepStrictEqual(kept.value, given)
        }
      })
    )

    law(
      "counts by type what it kept and what that saved",
      Effect.gen(function* () {
        const store = yield* Store
        assert.isUndefined(store.stats?.().compression)
        yield* store.set(pages, "a", table(100), json)
        yield* store.set(pages, "b", bytes("{}"), json)
        const counts = store.stats?.().compression?.["application/json"]
        assert.strictEqual(counts?.values, 2)
        assert.strictEqual(counts?.kept, 1)
        assert.isBelow(counts!.bytesOut, counts!.bytesIn / 5)
      })
    )

    law(
      "fails a read of bytes that are not what their mark says, and no other read",
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.set(pages, "good", table(50), json)
        const { contentType } = (yield* (yield* Beneath).get(pages, "good")).entry!
        yield* (yield* Beneath).set(pages, "bad", bytes("not gzip"), { contentType })
        const [good, bad] = yield* store.getMany(pages, ["good", "bad"])
        assert.strictEqual(good?._tag, "Done")
        assert.strictEqual(bad?._tag === "Failed" && bad.error.reason, "Unavailable")
        assert.isTrue(Either.isLeft(yield* Effect.either(store.get(pages, "bad"))))
        assert.isUndefined(store.held(pages, "bad", 1))
      })
    )

    law(
      "decodes of a bounded read as much as the bound allows, and one value at least",
      Effect.gen(function* () {
        const store = yield* Store
        for (const key of ["a", "b", "c"]) yield* store.set(pages, key, table(200), json)
        const results = yield* store.getMany(pages, ["a", "b", "c"], table(200).byteLength - 1)
        assert.deepStrictEqual(
          results.map(({ _tag }) => _tag),
          ["Done", "Failed", "Failed"]
        )
      })
    )

    it(`what is read is what was written last, under whatever policy each was done, over ${name}`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({ kept: value, writer: fc.boolean(), reader: fc.boolean(), key: fc.constantFrom("a", "b") }),
            {
              minLength: 1,
              maxLength: 8
            }
          ),
          (steps) =>
            Effect.gen(function* () {
              const store = yield* Store
              const model = new Map<string, (typeof steps)[number]["kept"]>()
              for (const { kept, key, reader, writer } of steps) {
                yield* store.set(writer ? pages : plain, key, kept.value, kept)
                model.set(key, kept)
                for (const [key, { contentType, value }] of model) {
                  const { entry } = yield* store.get(reader ? pages : plain, key)
                  assert.deepStrictEqual(entry?.value, value)
                  assert.strictEqual(entry?.contentType, contentType)
                }
              }
            }).pipe(Effect.provide(compressed(world())), virtually, Effect.runPromise)
        ),
        { numRuns: runs(60) }
      ))
  }

  it.effect("judges a condition by the value as it was given, whatever is kept", () =>
    virtually(
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.set(pages, "a", table(50), json)
        const ifMatch = entityTag({ ...json, value: table(50) })
        yield* store.set(pages, "a", table(60), { ...json, condition: { ifMatch } })
        const late = yield* Effect.either(store.set(plain, "a", table(70), { ...json, condition: { ifMatch } }))
        assert.strictEqual(Either.isLeft(late) && late.left.reason, "ConditionFailed")
        assert.deepStrictEqual((yield* store.get(pages, "a")).entry?.value, table(60))
      }).pipe(Effect.provide(compressed(durableMode())))
    )
  )

  it.effect("leaves values of a packed collection to their page, which becomes smaller so", () =>
    virtually(
      Effect.gen(function* () {
        const bytesOf = (compress: boolean) =>
          Effect.gen(function* () {
            const store = yield* Store
            const collection = define("rows", { jitter: 0, packed: true, compress })
            yield* store.writeMany(
              collection,
              Array.from({ length: 100 }, (_, id) => ({ ...json, key: `k${id}`, value: bytes(row(id)) }))
            )
            const kv = yield* Kv
            const { keys } = yield* kv.list()
            let bytesKept = 0
            for (const { name } of keys) bytesKept += Option.getOrThrow(yield* kv.get(name)).value.byteLength
            return { bytesKept, one: text(yield* store.get(collection, "k7")) }
          }).pipe(Effect.provide(compressed(kvMode())))
        const without = yield* bytesOf(false)
        assert.deepStrictEqual(yield* bytesOf(true), without)
        assert.strictEqual(without.one, row(7))
        const plainBytes = Array.from({ length: 100 }, (_, id) => row(id).length).reduce((sum, it) => sum + it, 0)
        assert.isBelow(without.bytesKept, plainBytes / 5)
      })
    )
  )

  it.effect("brings the codecs by itself when the first value needs them", () =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* store.set(pages, "a", table(50), json)
      assert.deepStrictEqual((yield* store.get(plain, "a")).entry?.value, table(50))
    }).pipe(Effect.provide(StoreCompressed.layer.pipe(Layer.provide(kvMode()))))
  )

  it("loses nothing when modes are switched, objects are lost and policies changed in between", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            kept: value,
            writer: fc.boolean(),
            after: fc.constantFrom("nothing", "switch", "lose", "policy")
          }),
          { minLength: 1, maxLength: 6 }
        ),
        (steps) =>
          Effect.gen(function* () {
            const world = yield* ModesWorld.make()
            const [asIs] = ModesWorld.collections
            const policies = [asIs, define("default", { ...asIs.policy, compress: true })] as const
            const model = new Map<string, (typeof steps)[number]["kept"]>()
            let mode: "kv" | "durable" = "durable"
            let reader = 0
            yield* world.record({ mode })
            for (const [index, { after, kept, writer }] of steps.entries()) {
              yield* world.in(mode, (store) =>
                compressing(store).set(policies[writer ? 1 : 0], `k${index}`, kept.value, kept)
              )
              model.set(`k${index}`, kept)
              if (after === "policy") reader = 1 - reader
              if (after === "lose" && mode === "durable") {
                yield* world.durable.flush
                yield* world.destroyObjects
                yield* world.durable.restore()
              }
              if (after === "switch") {
                mode = otherThan(mode)
                yield* world.command(mode)
              }
              for (const [key, { contentType, value }] of model) {
                const { entry } = yield* world.in(mode, (store) => compressing(store).get(policies[reader]!, key))
                assert.deepStrictEqual(entry?.value, value)
                assert.strictEqual(entry?.contentType, contentType)
              }
            }
          }).pipe(virtually, Effect.runPromise)
      ),
      { numRuns: runs(30) }
    ))
})
