import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { markKey, tagKey } from "../../../src/services/kv/model/PhysicalKey.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { hashOfTag } from "../../../src/services/store/model/Tags.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { text } from "../../support/store/lookups.ts"
import { directMode, kvMode } from "../../support/worlds.ts"

const notes = define("notes", { jitter: 0, memoryTtl: 0, edgeTtl: 0 })
const bytes = (value: string) => new TextEncoder().encode(value)

/** What an isolate finds that has never read or written a mark. */
const cold = (kv: Kv["Type"], mode: typeof kvMode | typeof directMode) => mode({ kv: Layer.succeed(Kv, kv) })

for (const [name, mode] of [
  ["StoreKv", kvMode],
  ["StoreDirect", directMode]
] as const) {
  describe(`the mark of a tag, in KV (${name})`, () => {
    it.effect.each(["", "garbage", "null", "{}", "[]", "[1]", '["1", 2, "w"]', "\u0000\uFFFF"])(
      "counts as later than all that was written before it is read when it is %j, and no read replaces it",
      (mark) => {
        const kv = KvMemory.make()
        return Effect.gen(function* () {
          yield* Effect.flatMap(Store, (store) =>
            Effect.zipRight(
              store.set(notes, "tagged", bytes("1"), { tags: ["t"] }),
              store.set(notes, "other", bytes("2"), { tags: ["u"] })
            )
          ).pipe(Effect.provide(cold(kv, mode)))
          yield* kv.put(markKey(hashOfTag("t")), bytes(mark))
          yield* TestClock.adjust("1 seconds")
          yield* Effect.gen(function* () {
            const store = yield* Store
            assert.isUndefined((yield* store.get(notes, "tagged")).entry)
            assert.strictEqual(text(yield* store.get(notes, "other")), "2")
            const found = yield* kv.get(markKey(hashOfTag("t")))
            assert.deepStrictEqual(found._tag === "Some" && [...found.value.value], [...bytes(mark)])
            yield* TestClock.adjust("1 seconds")
            yield* store.invalidateTags(["t"])
            yield* store.set(notes, "tagged", bytes("3"), { tags: ["t"] })
            assert.strictEqual(text(yield* store.get(notes, "tagged")), "3")
          }).pipe(Effect.provide(cold(kv, mode)))
          const after = Effect.flatMap(Store, (store) => store.get(notes, "tagged"))
          assert.strictEqual(text(yield* Effect.provide(after, cold(kv, mode))), "3")
        })
      }
    )

    it.effect("of an older version ends what that version wrote, and nothing written since", () => {
      const kv = KvMemory.make()
      const get = (key: string) =>
        Effect.provide(
          Effect.flatMap(Store, (store) => store.get(notes, key)),
          cold(kv, mode)
        )
      return Effect.gen(function* () {
        yield* Effect.provide(
          Effect.flatMap(Store, (store) => store.set(notes, "new", bytes("2"), { tags: ["t"] })),
          cold(kv, mode)
        )
        yield* kv.put("~notes/old", bytes("1"), { metadata: { l: 1, s: [0, 0, "5f0c2a91"], t: ["t", "u"] } })
        yield* kv.put(tagKey("t"), bytes('[-1000,3,"5f0c2a91"]'))
        assert.strictEqual(text(yield* get("old")), "1")
        yield* kv.put(tagKey("t"), bytes('[1000,0,"5f0c2a91"]'))
        assert.isUndefined((yield* get("old")).entry)
        assert.strictEqual(text(yield* get("new")), "2")
        yield* kv.delete(tagKey("t"))
        assert.strictEqual(text(yield* get("old")), "1")
        yield* TestClock.adjust("2 seconds")
        yield* Effect.provide(
          Effect.flatMap(Store, (store) => store.invalidateTags(["u"])),
          cold(kv, mode)
        )
        assert.isUndefined((yield* get("old")).entry)
        assert.strictEqual(text(yield* get("new")), "2")
      })
    })
  })
}
