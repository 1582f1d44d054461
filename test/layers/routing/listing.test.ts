import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { durableMode, kvMode, kvModeBatching } from "../../support/worlds.ts"

const value = new Uint8Array(1)
const manyTags = Array.from({ length: 40 }, (_, index) => `tag ${index} of a name that leaves no room beside others`)

for (const [name, world, packed] of [
  ["StoreKv", kvMode, false],
  ["StoreKv with its batcher", kvModeBatching, false],
  ["StoreKv, packed", kvMode, true],
  ["StoreDurable", durableMode, false]
] as const) {
  describe(`a listing of ${name}`, () => {
    const notes = define("notes", { packed })

    it.effect("has the keys that a read would answer, and none that an invalidation has ended", () =>
      Effect.gen(function* () {
        const store = yield* Store
        const put = (key: string, tags: ReadonlyArray<string>) => store.set(notes, key, value, { tags })
        yield* put("ended", ["a", "b"])
        yield* put("living", ["b"])
        yield* put("plain", [])
        yield* put("many", manyTags)
        yield* put("manyEnded", [...manyTags, "a"])
        yield* TestClock.adjust("2 seconds")
        yield* store.invalidateTags(["a"])
        yield* TestClock.adjust("2 seconds")
        yield* put("after", ["a"])
        const { keys } = yield* store.list(notes, {})
        assert.deepStrictEqual(
          keys.map(({ key }) => key),
          ["after", "living", "many", "plain"]
        )
        for (const { key } of keys) assert.isDefined((yield* store.get(notes, key)).entry)
        assert.deepStrictEqual(keys.find(({ key }) => key === "living")?.tags, ["b"])
        for (const key of ["ended", "manyEnded"]) assert.isUndefined((yield* store.get(notes, key)).entry)
      }).pipe(Effect.provide(world()))
    )
  })
}
