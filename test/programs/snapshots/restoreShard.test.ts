import { expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as OutboxKv from "../../../src/layers/snapshots/OutboxKv.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import * as RestoreShard from "../../../src/programs/snapshots/restoreShard.ts"
import { Shard, type ShardImage, type ShardWrite } from "../../../src/services/durable/Shard.ts"
import type { Kv } from "../../../src/services/kv/Kv.ts"
import { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import { Snapshots } from "../../../src/services/snapshots/Snapshots.ts"
import { compareStamps } from "../../../src/services/store/model/Entry.ts"
import { rowOf, sorted } from "../../support/durable/shardImages.ts"
import { runs } from "../../support/runs.ts"
import { imageIn, sourceOf } from "../../support/snapshots/wholeImages.ts"
import { virtually } from "../../support/virtually.ts"

const now = 1_000_000

const writeOf = (id: string, wall: number, gone = false): ShardWrite => ({
  id,
  stamp: { wall, counter: 0, writer: "w" },
  body: gone ? undefined : rowOf(id, wall).body
})

const world = (kv: Context.Tag.Service<Kv> = KvMemory.make()) => ({
  kv,
  shard: ShardMemory.make(),
  snapshots: SnapshotsKv.make(kv),
  outbox: OutboxKv.make(kv)
})

const restore = ({ outbox, shard, snapshots }: Omit<ReturnType<typeof world>, "kv">, owns?: (id: string) => boolean) =>
  Effect.zipRight(
    TestClock.setTime(now),
    Effect.gen(function* () {
      const saved = yield* yield* RestoreShard.fromSnapshot("shard-0")
      return owns === undefined ? saved : saved + (yield* yield* RestoreShard.fromOutbox(owns))
    }).pipe(
      Effect.provideService(Shard, shard),
      Effect.provideService(Snapshots, snapshots),
      Effect.provideService(Outbox, outbox)
    )
  )

const write = fc.record({ key: fc.nat({ max: 5 }), wall: fc.integer({ min: 1, max: 50 }), gone: fc.boolean() })

const writesOf = (drawn: ReadonlyArray<{ key: number; wall: number; gone: boolean }>) =>
  drawn.map(({ gone, key, wall }) => writeOf(`default/${key}`, wall, gone))

it.effect.prop(
  "an empty shard becomes what was saved: entries, tombstones, tag marks",
  [fc.array(write, { maxLength: 12 }), fc.array(fc.constantFrom("a", "b"), { maxLength: 2 })],
  ([drawn, tags]) =>
    virtually(
      Effect.gen(function* () {
        const before = world()
        before.shard.apply(writesOf(drawn), now)
        before.shard.invalidateTags(tags, { wall: 60, counter: 0, writer: "w" }, now)
        const image = imageIn(before.shard)
        yield* before.snapshots.save("shard-0", sourceOf(image), now)
        const after = { ...world(before.kv) }
        expect(yield* restore(after)).toBe(image.rows.length)
        expect(sorted(imageIn(after.shard))).toEqual(sorted(image))
        expect(yield* restore(after), "again, nothing is left to take").toBe(0)
        expect(sorted(imageIn(after.shard))).toEqual(sorted(image))
      })
    ),
  { fastCheck: { numRuns: runs(100) } }
)

it.effect.prop(
  "of snapshot, outbox and what the shard has, the higher version stays, whatever its route",
  [
    fc.array(write, { maxLength: 8 }),
    fc.array(write, { maxLength: 8 }),
    fc.array(fc.array(write, { maxLength: 4 }), { maxLength: 3 })
  ],
  ([saved, here, parked]) =>
    virtually(
      Effect.gen(function* () {
        const all = [...writesOf(saved), ...writesOf(here), ...parked.flatMap(writesOf)]
        fc.pre(new Set(all.map(({ id, stamp }) => `${id} ${stamp.wall}`)).size === all.length)
        const { kv, outbox, shard, snapshots } = world()
        const other = ShardMemory.make()
        other.apply(writesOf(saved), now)
        yield* snapshots.save("shard-0", sourceOf(imageIn(other)), now)
        for (const batch of parked) yield* outbox.park(writesOf(batch), now)
        shard.apply(writesOf(here), now)
        yield* restore({ shard, snapshots: SnapshotsKv.make(kv), outbox }, () => true)
        const rows = new Map(imageIn(shard).rows.map((row) => [row.id, row]))
        for (const { id } of all) {
          const newest = all
            .filter((one) => one.id === id)
            .reduce((a, b) => (compareStamps(a.stamp, b.stamp) > 0 ? a : b))
          expect(rows.get(id)?.body).toEqual(newest.body)
        }
      })
    ),
  { fastCheck: { numRuns: runs(100) } }
)

it.effect("of the outbox only the shard's own ids are taken, and none unless it is asked for", () =>
  Effect.gen(function* () {
    const given = world()
    yield* given.outbox.park([writeOf("default/mine", 1), writeOf("default/other", 1)], now)
    expect(yield* restore(given)).toBe(0)
    expect(yield* restore(given, (id) => id === "default/mine")).toBe(1)
    expect(imageIn(given.shard).rows.map(({ id }) => id)).toEqual(["default/mine"])
  })
)

it.effect("with neither snapshot nor outbox there is nothing to take, and nothing fails", () =>
  Effect.gen(function* () {
    expect(yield* restore(world(), () => true)).toBe(0)
  })
)

it.effect(
  "a snapshot that cannot be had fails the restore; an outbox name that cannot be read, too, after the rest",
  () =>
    Effect.gen(function* () {
      const given = world()
      const image: ShardImage = { rows: [rowOf("default/a", 1)], tags: new Map() }
      yield* given.snapshots.save("shard-0", sourceOf(image), now)
      for (const id of ["b", "c"]) yield* given.outbox.park([writeOf(`default/${id}`, 1)], now)
      const breaking = (at: number) => {
        const kv = KvFaulty.make(given.kv, (_, call) =>
          call === at ? { kind: "fail", reason: "Unavailable" } : undefined
        )
        return { shard: given.shard, snapshots: SnapshotsKv.make(kv), outbox: OutboxKv.make(kv) }
      }
      expect((yield* Effect.flip(restore(breaking(0), () => true)))._tag).toBe("SnapshotsError")
      expect((yield* Effect.flip(restore(breaking(3), () => true)))._tag).toBe("OutboxError")
      expect(imageIn(given.shard).rows.length).toBe(2)
      expect(yield* restore(given, () => true)).toBe(1)
      expect(imageIn(given.shard).rows.length).toBe(3)
    })
)
