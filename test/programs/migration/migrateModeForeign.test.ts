import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { bytes } from "../../contracts/kv/kvValues.ts"
import { begin, entryIn, finish, put, remove, textIn } from "../../support/migration/modesActs.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"

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
