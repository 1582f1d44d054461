import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { define } from "../../../src/services/store/model/Collection.ts"
import type { Observation } from "../../../src/services/store/model/Entry.ts"
import { addressOf, ReadPath } from "../../../src/services/tiers/ReadPath.ts"
import { world } from "../../support/worlds.ts"

const notes = define("notes", { jitter: 0, memoryTtl: "60 seconds" })
const at = (key: string) => addressOf(notes, key)

const observed = (readAt: number, wall = readAt, tags: ReadonlyArray<string> = []): Observation => ({
  entry: {
    value: Uint8Array.of(wall % 256),
    contentType: "x/y",
    tags,
    stamp: { wall, counter: 0, writer: "w" },
    expiresAt: Number.POSITIVE_INFINITY,
    loadMillis: 0
  },
  readAt
})

const absent = (readAt: number): Observation => ({ entry: undefined, readAt })

const law = (title: string, body: (readPath: ReadPath["Type"]) => Effect.Effect<void>) =>
  it.effect(title, () => Effect.flatMap(ReadPath, body).pipe(Effect.provide(world())))

describe("ReadPath.offer", () => {
  law("answers later reads from memory until the collection's memory ttl has passed since it was read", (readPath) =>
    Effect.sync(() => {
      readPath.offer(at("a"), observed(1000), 5000)
      assert.strictEqual(readPath.held(at("a"), 60_999)?.entry?.stamp.wall, 1000)
      assert.isUndefined(readPath.held(at("a"), 61_000))
    })
  )

  law("gives way to a later version, and to what was read later", (readPath) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(2000)
      yield* readPath.remember(at("a"), observed(2000))
      readPath.offer(at("a"), observed(3000, 1000), 3000)
      assert.strictEqual(readPath.held(at("a"), 3000)?.entry?.stamp.wall, 2000)
      readPath.offer(at("a"), observed(1500, 2500), 3000)
      assert.strictEqual(readPath.held(at("a"), 3000)?.entry?.stamp.wall, 2000)
      readPath.offer(at("a"), observed(3000, 2500), 3000)
      assert.strictEqual(readPath.held(at("a"), 3000)?.entry?.stamp.wall, 2500)
    })
  )

  law("does not bring back what was deleted here while an old view of it may still be about", (readPath) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(2000)
      yield* readPath.remember(at("a"), absent(2000))
      readPath.offer(at("a"), observed(50_000, 1000), 50_000)
      assert.isUndefined(readPath.known(at("a"), 50_000)?.entry)
      yield* readPath.remember(at("b"), observed(2000))
      readPath.offer(at("b"), absent(50_000), 50_000)
      assert.strictEqual(readPath.known(at("b"), 50_000)?.entry?.stamp.wall, 2000)
    })
  )

  law("respects tags that were invalidated and collections that were cleared", (readPath) =>
    Effect.sync(() => {
      readPath.invalidate(["red"], { wall: 2000, counter: 0, writer: "w" })
      readPath.offer(at("a"), observed(1500, 1500, ["red"]), 2500)
      readPath.forget(notes, 2000)
      readPath.offer(at("b"), observed(1500), 2500)
      readPath.offer(at("c"), observed(2100), 2500)
      for (const key of ["a", "b"]) assert.isUndefined(readPath.held(at(key), 2500))
      assert.isDefined(readPath.held(at("c"), 2500))
    })
  )

  law("keeps nothing of a collection that memory is not to hold", (readPath) =>
    Effect.sync(() => {
      const address = addressOf(define("live", { memoryTtl: 0 }), "a")
      readPath.offer(address, observed(1000), 1000)
      assert.isUndefined(readPath.held(address, 1000))
    })
  )
})
