import { describe, expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import type { ShardImage } from "../../../src/services/durable/Shard.ts"
import type { Snapshots } from "../../../src/services/snapshots/Snapshots.ts"
import { image, rowOf, sorted } from "../../support/durable/shardImages.ts"
import { loaded, sourceOf } from "../../support/snapshots/wholeImages.ts"

/** What every layer of `Snapshots` promises. `make` gives one without any snapshots. */
export const contract = (
  layer: string,
  make: () => Context.Tag.Service<Snapshots>,
  options: { readonly runs: number }
): void => {
  const params = { fastCheck: { numRuns: options.runs } }

  describe(`${layer} keeps the contract of Snapshots:`, () => {
    it.effect("before the first save there is none", () =>
      Effect.gen(function* () {
        expect(yield* loaded(make(), "shard-0")).toBeUndefined()
        expect((yield* make().marks("shard-0")).size).toBe(0)
      })
    )

    it.effect("an empty image is an image", () =>
      Effect.gen(function* () {
        const snapshots = make()
        yield* snapshots.save("shard-0", sourceOf({ rows: [], tags: new Map() }), 1)
        expect(yield* loaded(snapshots, "shard-0")).toEqual({ rows: [], tags: new Map() })
      })
    )

    it.effect.prop(
      "after every save, load gives that image and nothing of those before",
      [fc.array(image, { minLength: 1, maxLength: 4 })],
      ([images]) =>
        Effect.gen(function* () {
          const snapshots = make()
          for (const [at, given] of images.entries()) {
            yield* snapshots.save("shard-0", sourceOf(given), at)
            expect(sorted(yield* loaded(snapshots, "shard-0"))).toStrictEqual(sorted(given))
            expect(yield* snapshots.marks("shard-0")).toStrictEqual(given.tags)
          }
        }),
      params
    )

    it.effect.prop(
      "an opened one has the rows of its image, and no others, whatever is saved meanwhile",
      [image, image],
      ([given, next]) =>
        Effect.gen(function* () {
          const snapshots = make()
          expect(yield* snapshots.open("shard-0")).toBeUndefined()
          yield* snapshots.save("shard-0", sourceOf(given), 1)
          const opened = yield* snapshots.open("shard-0")
          yield* snapshots.save("shard-0", sourceOf(next), 2)
          expect(opened!.tags).toStrictEqual(given.tags)
          const rows = new Map(given.rows.map((row) => [row.id, row]))
          for (const id of new Set([...given.rows, ...next.rows].map(({ id }) => id))) {
            expect(yield* opened!.find(id)).toStrictEqual(rows.get(id))
            expect(yield* opened!.find(id)).toStrictEqual(rows.get(id))
          }
        }),
      params
    )

    it.effect("shards do not see each other, not even under names that look alike", () =>
      Effect.gen(function* () {
        const snapshots = make()
        const images = new Map(
          ["a", "a/b", "a/", "ä", "A"].map((shard, at): [string, ShardImage] => [
            shard,
            { rows: [rowOf(shard, at + 1, 500)], tags: new Map() }
          ])
        )
        for (const [shard, given] of images) yield* snapshots.save(shard, sourceOf(given), 1)
        for (const [shard, given] of images) {
          expect(sorted(yield* loaded(snapshots, shard))).toStrictEqual(sorted(given))
        }
      })
    )
  })
}
