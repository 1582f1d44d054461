import * as Persistence from "@effect/experimental/Persistence"
import * as Kvs from "@effect/platform/KeyValueStore"
import { it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { describe, expect } from "vitest"
import * as KeyValueStoreKv from "../../../src/entry/adapters/keyValueStore.ts"
import * as PersistenceKv from "../../../src/entry/adapters/persistence.ts"
import { useLocalNamespace } from "../../support/facade/localNamespace.ts"

const namespace = useLocalNamespace()

describe("Effect's KeyValueStore", () => {
  const store = (prefix: string) => KeyValueStoreKv.make(namespace.kv(), { prefix })

  it.effect("sets, gets, modifies, removes and clears", () =>
    Effect.gen(function* () {
      const kv = store("kvs:")
      expect(yield* kv.get("a")).toEqual(Option.none())
      yield* kv.set("a", "1")
      yield* kv.set("b", new Uint8Array([0, 255]))
      expect(yield* kv.get("a")).toEqual(Option.some("1"))
      expect(yield* kv.getUint8Array("b")).toEqual(Option.some(new Uint8Array([0, 255])))
      expect(yield* kv.size).toBe(2)
      expect(yield* kv.modify("a", (value) => `${value}1`)).toEqual(Option.some("11"))
      expect(yield* kv.modify("none", (value) => value)).toEqual(Option.none())
      expect(yield* kv.has("a")).toBe(true)
      yield* kv.remove("a")
      expect(yield* kv.get("a")).toEqual(Option.none())
      yield* kv.clear
      expect(yield* kv.isEmpty).toBe(true)
    })
  )

  it.effect("keeps prefixed stores apart, and fails with a SystemError", () =>
    Effect.gen(function* () {
      const kv = store("apart:")
      yield* Kvs.prefix(kv, "x:").set("k", "1")
      expect(yield* kv.get("x:k")).toEqual(Option.some("1"))
      const error = yield* Effect.flip(kv.get("k".repeat(600)))
      expect(error).toMatchObject({ _tag: "SystemError", module: "KeyValueStore", method: "get" })
    })
  )
})

describe("Effect's Persistence", () => {
  const open = (storeId: string) =>
    Effect.flatMap(Persistence.BackingPersistence, (backing) => backing.make(storeId)).pipe(
      Effect.provide(PersistenceKv.layer(namespace.kv()))
    )

  it.scoped("keeps values until their time to live, also one under KV's minute", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const store = yield* open("ends")
      yield* store.set("a", { a: 1 }, Option.none())
      yield* store.set("b", "b", Option.some(Duration.seconds(5)))
      expect(yield* store.getMany(["a", "b", "c"])).toEqual([Option.some({ a: 1 }), Option.some("b"), Option.none()])
      yield* TestClock.adjust("5 seconds")
      expect(yield* store.get("b")).toEqual(Option.none())
      expect(yield* store.get("a")).toEqual(Option.some({ a: 1 }))
    })
  )

  it.scoped("removes and clears only what is its own", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* open("one"), yield* open("two")]
      yield* one.setMany([
        ["a", 1, Option.none()],
        ["b", 2, Option.none()]
      ])
      yield* two.set("a", 3, Option.none())
      yield* one.remove("a")
      expect(yield* one.get("a")).toEqual(Option.none())
      yield* one.clear
      expect(yield* one.get("b")).toEqual(Option.none())
      expect(yield* two.get("a")).toEqual(Option.some(3))
    })
  )
})
