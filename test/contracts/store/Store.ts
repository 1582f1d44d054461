import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { define, type PolicyInput } from "../../../src/services/store/model/Collection.ts"
import { Store, StoreError } from "../../../src/services/store/Store.ts"
import { runs } from "../../support/runs.ts"
import { lookups, text } from "../../support/store/lookups.ts"
import { virtually } from "../../support/virtually.ts"
import { bytes } from "../kv/kvValues.ts"
import { asModel, operation } from "./storeModel.ts"

/** What every Store promises, whatever it is made of. Runs in virtual time. */
export const storeContract = (name: string, layer: () => Layer.Layer<Store>, policy: PolicyInput = {}): void => {
  const notes = define("notes", { jitter: 0, fills: "all", ...policy })
  const other = define("other", { jitter: 0, ...policy })

  const law = (title: string, body: Effect.Effect<void, unknown, Store>) =>
    it.effect(title, () => virtually(Effect.provide(body, layer())))

  describe(`Store: ${name}`, () => {
    law(
      "what was set is read back, byte for byte, with its type, tags and expiry",
      Effect.gen(function* () {
        const store = yield* Store
        const value = Uint8Array.from({ length: 256 }, (_, index) => index)
        const written = yield* store.set(notes, "a", value, { contentType: "x/y", tags: ["t"], ttl: 5000 })
        const { entry } = yield* store.get(notes, "a")
        assert.deepStrictEqual(entry?.value, value)
        assert.strictEqual(entry?.contentType, "x/y")
        assert.deepStrictEqual(entry?.tags, ["t"])
        assert.strictEqual(entry?.expiresAt, 5000)
        assert.deepStrictEqual(entry?.stamp, written.stamp)
      })
    )

    law(
      "an entry is there until its ttl has passed, and then it is not",
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.set(notes, "a", bytes("1"), { ttl: 90_000 })
        yield* TestClock.adjust("89999 millis")
        assert.strictEqual(text(yield* store.get(notes, "a")), "1")
        yield* TestClock.adjust("1 millis")
        assert.isUndefined((yield* store.get(notes, "a")).entry)
      })
    )

    law(
      "the last write wins, and a delete leaves nothing",
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.set(notes, "a", bytes("1"))
        yield* store.set(notes, "a", bytes("2"))
        assert.strictEqual(text(yield* store.get(notes, "a")), "2")
        yield* store.delete(notes, "a")
        assert.isUndefined((yield* store.get(notes, "a")).entry)
        yield* store.set(notes, "a", bytes("3"))
        assert.strictEqual(text(yield* store.get(notes, "a")), "3")
      })
    )

    law(
      "held answers what get would, or not at all",
      Effect.gen(function* () {
        const store = yield* Store
        assert.isUndefined(store.held(notes, "a", 0))
        yield* store.set(notes, "a", bytes("1"), { ttl: 90_000, tags: ["t"] })
        for (const now of [0, 30_000, 59_999, 60_000, 90_000]) {
          yield* TestClock.setTime(now)
          const held = store.held(notes, "a", now)
          if (held !== undefined) assert.deepStrictEqual(held, yield* store.get(notes, "a"))
        }
        assert.isUndefined(store.held(notes, "a", 90_000))
        yield* store.set(notes, "a", bytes("2"), { tags: ["t"] })
        yield* store.invalidateTags(["t"])
        assert.isUndefined(store.held(notes, "a", 90_000)?.entry)
      })
    )

    law(
      "collections do not see each other's keys",
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.set(notes, "a", bytes("1"))
        assert.isUndefined((yield* store.get(other, "a")).entry)
        yield* store.clear(other)
        assert.strictEqual(text(yield* store.get(notes, "a")), "1")
        assert.deepStrictEqual((yield* store.list(other, {})).keys, [])
      })
    )

    law(
      "getMany answers in the order asked, absences and repeated keys included",
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.writeMany(
          notes,
          Array.from({ length: 120 }, (_, index) => ({ key: `k${index}`, value: bytes(`${index}`) }))
        )
        const keys = ["k7", "none", "k7", ...Array.from({ length: 120 }, (_, index) => `k${index}`)]
        const found = yield* lookups(store, notes, keys)
        assert.deepStrictEqual(found.map(text), ["7", undefined, "7", ...keys.slice(3).map((key) => key.slice(1))])
      })
    )

    law(
      "writeMany answers per key, and of two changes of one key the last one stays",
      Effect.gen(function* () {
        const store = yield* Store
        const results = yield* store.writeMany(notes, [
          { key: "a", value: bytes("1") },
          { key: "..", value: bytes("bad") },
          { key: "a", value: bytes("2") },
          { key: "", remove: true }
        ])
        assert.deepStrictEqual(
          results.map((result) => (result._tag === "Done" ? "done" : result.error.reason)),
          ["done", "BadKey", "done", "BadKey"]
        )
        assert.strictEqual(text(yield* store.get(notes, "a")), "2")
      })
    )

    law(
      "writeMany removes and writes together, and of a removal and a write of one key the later one stays",
      Effect.gen(function* () {
        const store = yield* Store
        for (const key of ["a", "b", "c"]) yield* store.set(notes, key, bytes("old"))
        yield* TestClock.adjust("2 seconds")
        const results = yield* store.writeMany(notes, [
          { key: "a", remove: true },
          { key: "b", remove: true },
          { key: "b", value: bytes("new") },
          { key: "c", value: bytes("new") },
          { key: "c", remove: true },
          { key: "never", remove: true }
        ])
        assert.isTrue(results.length === 6 && results.every(({ _tag }) => _tag === "Done"))
        assert.deepStrictEqual((yield* lookups(store, notes, ["a", "b", "c", "never"])).map(text), [
          undefined,
          "new",
          undefined,
          undefined
        ])
      })
    )

    law(
      "getMany fails a key that KV would not take, and answers the others",
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.set(notes, "fine", bytes("1"))
        const [bad, fine] = yield* store.getMany(notes, ["", "fine"])
        assert.strictEqual(bad!._tag === "Failed" && bad!.error.reason, "BadKey")
        assert.strictEqual(fine!._tag === "Done" && text(fine!.value), "1")
      })
    )

    law(
      "keys KV would not take fail with BadKey; those it would round trip, however long our prefix makes them",
      Effect.gen(function* () {
        const store = yield* Store
        for (const key of ["", ".", "..", "x".repeat(513), "\ud800"]) {
          for (const operation of [
            store.get(notes, key),
            store.set(notes, key, bytes("1")),
            store.delete(notes, key),
            lookups(store, notes, ["fine", key])
          ]) {
            const error = yield* Effect.flip(operation as Effect.Effect<unknown, StoreError>)
            assert.strictEqual(error.reason, "BadKey")
          }
        }
        for (const key of ["x".repeat(512), "é".repeat(256), "#", "~", "a/b c%2F?", "\u0000", "😀"]) {
          yield* store.set(notes, key, bytes(key))
          assert.strictEqual(text(yield* store.get(notes, key)), key)
        }
      })
    )

    law(
      "list pages through the living keys of a collection, in order, under a prefix",
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.writeMany(
          notes,
          ["b/2", "a", "b/1", "b/3", "c"].map((key) => ({ key, value: bytes(key) }))
        )
        yield* store.set(notes, "b/0", bytes("short"), { ttl: 1000 })
        yield* TestClock.adjust("2 seconds")
        const keys: Array<string> = []
        let cursor: string | undefined
        do {
          const page = yield* store.list(notes, { prefix: "b/", limit: 2, ...(cursor === undefined ? {} : { cursor }) })
          keys.push(...page.keys.map(({ key }) => key))
          cursor = page.cursor
        } while (cursor !== undefined)
        assert.deepStrictEqual(keys, ["b/1", "b/2", "b/3"])
      })
    )

    law(
      "invalidating a tag ends what carries it, and nothing that is written after",
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.set(notes, "a", bytes("1"), { tags: ["red", "blue"] })
        yield* store.set(notes, "b", bytes("2"), { tags: ["blue"] })
        yield* store.set(notes, "c", bytes("3"))
        yield* store.invalidateTags(["red"])
        yield* store.set(notes, "d", bytes("4"), { tags: ["red"] })
        assert.deepStrictEqual((yield* lookups(store, notes, ["a", "b", "c", "d"])).map(text), [
          undefined,
          "2",
          "3",
          "4"
        ])
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual((yield* lookups(store, notes, ["a", "b", "c", "d"])).map(text), [
          undefined,
          "2",
          "3",
          "4"
        ])
      })
    )

    law(
      "clear leaves nothing, and says how much there was where it deletes one by one",
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.writeMany(
          notes,
          Array.from({ length: 30 }, (_, index) => ({ key: `k${index}`, value: bytes("x") }))
        )
        const { complete, deleted = 30 } = yield* store.clear(notes)
        assert.deepStrictEqual({ complete, deleted }, { complete: true, deleted: 30 })
        assert.isUndefined((yield* store.get(notes, "k3")).entry)
        assert.deepStrictEqual((yield* store.list(notes, {})).keys, [])
      })
    )

    law(
      "getOrLoad loads what is absent once, and keeps it for the collection's ttl",
      Effect.gen(function* () {
        const store = yield* Store
        let loads = 0
        const load = Effect.sync(() => Option.some({ value: bytes(`${++loads}`), contentType: "text/plain" }))
        assert.strictEqual(text(yield* store.getOrLoad(notes, "a", load)), "1")
        assert.strictEqual(text(yield* store.getOrLoad(notes, "a", load)), "1")
        assert.strictEqual(text(yield* store.get(notes, "a")), "1")
        yield* TestClock.adjust("30 minutes")
        assert.strictEqual(text(yield* store.getOrLoad(notes, "a", load)), "1")
        yield* TestClock.adjust("30 minutes")
        assert.strictEqual(text(yield* store.getOrLoad(notes, "a", load)), "2")
      })
    )

    law(
      "a loader's failure is the caller's, and a loader that never ends is LoadFailed",
      Effect.gen(function* () {
        const store = yield* Store
        const failed = yield* Effect.flip(
          store.getOrLoad(notes, "a", Effect.fail("boom" as const)) as Effect.Effect<unknown, StoreError | "boom">
        )
        assert.strictEqual(failed, "boom")
        const stuck = yield* Effect.fork(Effect.flip(store.getOrLoad(notes, "b", Effect.never)))
        yield* TestClock.adjust("20 seconds")
        const error = yield* stuck
        assert.instanceOf(error, StoreError)
        assert.strictEqual((error as StoreError).reason, "LoadFailed")
      })
    )

    it.effect.prop(
      "under any sequence of operations it answers as a Map with ttls would",
      [fc.array(operation, { minLength: 1, maxLength: 60 })],
      ([operations]) => virtually(Effect.provide(asModel(notes, operations), layer())),
      { fastCheck: { numRuns: runs(30) } }
    )
  })
}
