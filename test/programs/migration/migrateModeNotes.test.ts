import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { otherThan } from "../../../src/services/migration/RecordedMode.ts"
import { begin, finish, modes, put, remove, textIn } from "../../support/migration/modesActs.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"

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

  it.effect(
    "keeps the deletes of isolates that ran its flag for a while, no matter who changes the flag and how often",
    () =>
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
