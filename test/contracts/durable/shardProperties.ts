import assert from "node:assert/strict"
import * as fc from "effect/FastCheck"
import { compareStamps } from "../../../src/services/store/model/Entry.ts"
import { ShardModel } from "../../support/durable/shardModel.ts"
import { makeInterpreter, memberOf, noneGiven, type Operation, operation } from "../../support/durable/shardSteps.ts"
import { imageIn } from "../../support/snapshots/wholeImages.ts"
import type { Law } from "./shardLaw.ts"

export const properties: ReadonlyArray<Law> = [
  {
    name: "it does what its promise says, through any operations, restarts among them",
    check: (world, runs) =>
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 60, size: "max" }), (operations) => {
          let shard = world.begin()
          const model = new ShardModel()
          const { look, step } = makeInterpreter()
          const [given, expected] = [noneGiven(), noneGiven()]
          for (const operation of operations) {
            const { clear, invalidate, now, restart, run } = step(operation)
            if (restart) {
              shard = world.restart()
              model.restart()
            }
            if (invalidate !== undefined) {
              const mark = shard.invalidateTags(invalidate.tags, invalidate.stamp, now)
              assert(compareStamps(mark, invalidate.stamp) >= 0, "the mark is below its stamp")
              for (const { version } of model.rows.values())
                assert(compareStamps(mark, version) > 0, "a row outlives it")
              model.invalidateTags(invalidate.tags, mark)
            }
            if (clear !== undefined) {
              const mark = shard.clear(clear.prefix, clear.stamp, now)
              assert(compareStamps(mark, clear.stamp) >= 0, "the mark is below its stamp")
              for (const { version } of model.rows.values())
                assert(compareStamps(mark, version) > 0, "a row outlives it")
              model.clear(clear.prefix, mark)
            }
            assert.deepStrictEqual(run(memberOf(shard), given), run(model, expected))
            assert.equal(shard.dirty(), model.dirty())
          }
          assert.deepStrictEqual(look(memberOf(shard)), look(model))
          const { bytes, entries, tombstones } = shard.stats()
          assert.deepStrictEqual({ bytes, entries, tombstones }, model.size())
        }),
        { numRuns: runs }
      )
  },
  {
    name: "what is restored from an image is what was captured, in any number of merges and orders",
    check: (world, runs) =>
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 40, size: "max" }), (operations) => {
          let shard = world.begin()
          const { images, look, step } = makeInterpreter()
          const given = noneGiven()
          let now = 0
          for (const operation of operations) {
            const next = step(operation)
            now = next.now
            if (next.restart) shard = world.restart()
            if (next.invalidate !== undefined) shard.invalidateTags(next.invalidate.tags, next.invalidate.stamp, now)
            if (next.clear !== undefined) shard.clear(next.clear.prefix, next.clear.stamp, now)
            next.run(memberOf(shard), given)
          }
          const image = imageIn(shard)
          const [entries, list] = look(memberOf(shard))
          const restored = world.begin()
          restored.merge(image, now)
          assert.deepStrictEqual(imageIn(restored), image)
          assert.equal(restored.merge(image, now), 0)
          assert.deepStrictEqual(look(memberOf(restored)).slice(0, 2), [entries, list])
          for (const older of [...images, image]) restored.merge(older, now)
          const union = imageIn(restored)
          const again = world.begin()
          for (const older of [image, ...images.toReversed()]) again.merge(older, now)
          assert.deepStrictEqual(imageIn(again), union)
        }),
        { numRuns: Math.ceil(runs / 4), examples: [[deletedTwice(false)], [deletedTwice(true)]] }
      )
  }
]

/** A delete that is resent once its tombstone was dropped: two images have it with one version and two ages. */
const deletedTwice = (packed: boolean): Array<Operation> => {
  const days: Array<Operation> = [{ _: "wait", millis: 9 * 86_400_000 }, { _: "sweep" }]
  return [
    { _: "write", writes: [{ id: "a/x", body: undefined, skew: 0, writer: "ann", packed }] },
    { _: "capture" },
    ...days,
    { _: "resend", pick: 0 },
    { _: "capture" },
    ...days
  ]
}
