import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as ShardMemory from "../../../../src/layers/durable/ShardMemory.ts"
import { marksIn } from "../../../../src/layers/migration/internal/shardSnapshots.ts"
import * as StoreOfRecordSnapshot from "../../../../src/layers/migration/StoreOfRecordSnapshot.ts"
import * as OutboxMemory from "../../../../src/layers/snapshots/OutboxMemory.ts"
import * as SnapshotsMemory from "../../../../src/layers/snapshots/SnapshotsMemory.ts"
import { objectName } from "../../../../src/services/durable/model/Topology.ts"
import { shardOf } from "../../../../src/services/durable/Shard.ts"
import { isInvalidated } from "../../../../src/services/store/model/Entry.ts"
import { write } from "../../../support/durable/shardWrite.ts"
import { imageIn, sourceOf } from "../../../support/snapshots/wholeImages.ts"

const start = 1_700_000_000_000
const ids = Array.from({ length: 8 }, (_, number) => `things/${number}`)

/** Shards whose clocks are ahead by so many milliseconds. */
const shardsWith = (skews: ReadonlyArray<number>) => {
  const shards = skews.map(() => ShardMemory.make())
  const snapshots = SnapshotsMemory.make()
  const save = (number: number, now: number) =>
    snapshots.save(objectName({ generation: 0, shard: number }), sourceOf(imageIn(shards[number]!)), now)
  return {
    snapshots,
    set: (id: string, at: number) => {
      const number = shardOf(id, skews.length)
      const now = at + skews[number]!
      shards[number]!.apply([{ ...write(id, { wall: at, tags: ["t"] }), firstUntil: now }], now)
    },
    invalidate: (at: number, of = shards.map((_, number) => number)) => {
      for (const number of of) {
        shards[number]!.invalidateTags(["t"], { wall: at, counter: 0, writer: "i" }, at + skews[number]!)
      }
    },
    save,
    saveAll: (now: number) => Effect.forEach(skews, (_, number) => save(number, now))
  }
}

describe("the invalidations of several shards, as one", () => {
  it.effect.prop(
    "end all that was written before, and nothing that was written after, however far the clocks are apart",
    [
      fc.array(fc.integer({ min: -2000, max: 2000 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.boolean(), { minLength: ids.length, maxLength: ids.length })
    ],
    ([skews, after]) =>
      Effect.gen(function* () {
        const world = shardsWith(skews)
        for (const [index, id] of ids.entries()) if (!after[index]) world.set(id, start)
        world.invalidate(start + 1)
        for (const [index, id] of ids.entries()) if (after[index]) world.set(id, start + 2)
        yield* world.saveAll(start)
        yield* TestClock.setTime(start + 10)
        const snapshot = yield* StoreOfRecordSnapshot.make(world.snapshots, OutboxMemory.make(), skews.length)
        const { heads } = yield* snapshot.page(undefined, 100)
        assert.deepStrictEqual(
          heads.map(({ id }) => id),
          ids.filter((_, index) => after[index])
        )
        const marks = yield* marksIn(world.snapshots, skews.length, undefined)
        assert.deepStrictEqual(yield* snapshot.marks, marks)
        // As the KV mode will hold what is copied, and what it still has from before.
        for (const { tags, version } of heads) assert.isFalse(isInvalidated({ tags, stamp: version }, marks))
        assert.isTrue(isInvalidated({ tags: ["t"], stamp: { wall: start, counter: 0, writer: "w" } }, marks))
      })
  )

  it.effect("are those of the shard that knows of the last one, where another has not been saved since", () =>
    Effect.gen(function* () {
      const world = shardsWith([0, 0])
      world.invalidate(start)
      yield* world.saveAll(start)
      for (const id of ids) world.set(id, start + 30_000)
      yield* world.saveAll(start)
      world.invalidate(start + 60_000)
      yield* world.save(1, start)
      yield* TestClock.setTime(start + 60_010)
      const snapshot = yield* StoreOfRecordSnapshot.make(world.snapshots, OutboxMemory.make(), 2)
      assert.deepStrictEqual((yield* snapshot.page(undefined, 100)).heads, [])
      const marks = yield* marksIn(world.snapshots, 2, undefined)
      assert.strictEqual(marks.get("t")?.wall, start + 60_000)
    })
  )
})
