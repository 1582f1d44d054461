import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as DurableCacheMemory from "../../../src/layers/durable/DurableCacheMemory.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { pageOf } from "../../../src/services/durable/model/ShardListing.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { write } from "../../support/durable/shardWrite.ts"
import { virtually } from "../../support/virtually.ts"
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

it.effect("a listing over rows that are dead ends early with a cursor, and no key is missed or told twice", () =>
  virtually(
    Effect.gen(function* () {
      const shards = [0, 1, 2].map(() => ShardMemory.make())
      const durable = DurableCacheMemory.make(shards, LedgerMemory.make(0))
      const count = 9000
      const keyOf = (index: number) => `k${String(index).padStart(5, "0")}`
      const ids = Array.from({ length: count }, (_, index) => `notes/${keyOf(index)}`)
      yield* durable.apply(ids.map((id) => write(id, { wall: 1 })))
      yield* durable.clear("notes/", { wall: 2, counter: 0, writer: "w" })
      const living = [3, 4000, 4001, 7999, 8000, 8998].map(keyOf)
      yield* durable.apply(living.map((key) => write(`notes/${key}`, { wall: 3 })))
      const rowsRead = () => shards.reduce((sum, shard) => sum + shard.billed().rowsRead, 0)
      for (const limit of [1, 2, 5, 1000]) {
        const found: Array<string> = []
        let calls = 0
        for (let after: string | undefined; ; calls++) {
          const before = rowsRead()
          const { next, rows } = pageOf(yield* durable.list("notes/", after, limit), limit)
          assert.isAtMost(rowsRead() - before, 3 * (20 * limit + 1020))
          assert.isAtMost(rows.length, limit)
          found.push(...rows.map(({ id }) => id.slice("notes/".length)))
          if (next === undefined) break
          after = next
        }
        assert.deepStrictEqual(found, living)
        assert.isAtMost(calls, 30)
      }
    })
  )
)
