import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as RepositoryStore from "../../../src/layers/repository/RepositoryStore.ts"
import type { Compressed } from "../../../src/services/compression/Compression.ts"
import type { KvEntry } from "../../../src/services/kv/Kv.ts"
import * as TypedCollection from "../../../src/services/repository/model/TypedCollection.ts"
import { Repository } from "../../../src/services/repository/Repository.ts"
import type { Entry } from "../../../src/services/store/model/Entry.ts"
import type { Loaded, Write } from "../../../src/services/store/Store.ts"
import { directMode, durableMode, kvMode } from "../../support/worlds.ts"

/** What only a type keeps from being changed: a line that compiles fails the type check. */
const unchangeable = (entry: Entry, kv: KvEntry, loaded: Loaded, write: Write, compressed: Compressed): void => {
  // @ts-expect-error bytes of an entry are shared by all tiers
  entry.value[0] = 1
  // @ts-expect-error
  kv.value[0] = 1
  // @ts-expect-error
  loaded.value[0] = 1
  // @ts-expect-error
  write.value[0] = 1
  // @ts-expect-error they may be the ones given
  compressed.bytes[0] = 1
  // @ts-expect-error
  entry.tags.push("a")
}

it("bytes that are shared are so by their type", () => assert.isFunction(unchangeable))

const notes = TypedCollection.make({
  name: "notes",
  key: Schema.String,
  value: Schema.Struct({
    words: Schema.mutable(Schema.Array(Schema.String)),
    any: Schema.Unknown,
    bytes: Schema.Uint8ArrayFromBase64
  }),
  policy: { jitter: 0 }
})

const note = () => ({ words: ["a", "b"], any: { deep: [1] }, bytes: Uint8Array.of(1, 2, 3) })

const spoil = (value: ReturnType<typeof note> | unknown): void => {
  const it = value as ReturnType<typeof note>
  it.words.push("spoilt")
  it.any.deep.push(2)
  it.bytes.fill(9)
}

describe.each(
  Object.entries({ StoreDirect: directMode, StoreKv: kvMode, StoreDurable: durableMode })
)("typed values over %s", (_, world) => {
  it.effect("can be changed by who put or read them without anybody else seeing it", () =>
    Effect.gen(function* () {
      const repository = yield* Repository
      const put = note()
      yield* repository.set(notes, "a", put)
      spoil(put)
      const [many, loaded] = [note(), note()]
      yield* repository.setMany(notes, [{ key: "b", value: many }])
      spoil(many)
      const load = () => repository.getOrLoad(notes, "c", Effect.succeedSome(loaded))
      const [first, second] = yield* Effect.all([load(), load()], { concurrency: "unbounded" })
      spoil(Option.getOrThrow(first))
      assert.deepStrictEqual(Option.getOrThrow(second), note())
      spoil(loaded)
      for (const key of ["a", "b", "c", "a", "b", "c"]) {
        const found = Option.getOrThrow(yield* repository.get(notes, key))
        assert.deepStrictEqual(found, note(), key)
        spoil(found)
        for (const one of yield* repository.getMany(notes, [key, key])) {
          assert.deepStrictEqual(Option.getOrThrow(one), note(), key)
          spoil(Option.getOrThrow(one))
        }
      }
    }).pipe(Effect.provide(Layer.provideMerge(RepositoryStore.layer, world())))
  )
})
