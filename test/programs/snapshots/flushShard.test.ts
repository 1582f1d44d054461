import { expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import * as SnapshotsMemory from "../../../src/layers/snapshots/SnapshotsMemory.ts"
import * as FlushShard from "../../../src/programs/snapshots/flushShard.ts"
import { Shard, type ShardWrite } from "../../../src/services/durable/Shard.ts"
import { Snapshots } from "../../../src/services/snapshots/Snapshots.ts"
import { rowOf, sorted } from "../../support/durable/shardImages.ts"
import { runs } from "../../support/runs.ts"
import { imageIn, loaded } from "../../support/snapshots/wholeImages.ts"

const put = (id: string, wall: number): ShardWrite => ({
  id,
  stamp: { wall, counter: 0, writer: "w" },
  body: rowOf(id, wall).body
})

/** A shard, snapshots whose saves are counted and may be held up, and the flush over both. */
const world = (snapshots: Context.Tag.Service<Snapshots> = SnapshotsMemory.make()) =>
  Effect.gen(function* () {
    const shard = ShardMemory.make()
    const seen = { saves: 0, atOnce: 0, most: 0 }
    const gate: { current: Effect.Effect<void> } = { current: Effect.void }
    const watched: Context.Tag.Service<Snapshots> = {
      ...snapshots,
      save: (name, image, now) =>
        Effect.suspend(() => {
          seen.saves += 1
          seen.atOnce += 1
          seen.most = Math.max(seen.most, seen.atOnce)
          return Effect.zipRight(gate.current, snapshots.save(name, image, now))
        }).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              seen.atOnce -= 1
            })
          )
        )
    }
    const flush = yield* FlushShard.make("shard-0").pipe(
      Effect.provideService(Shard, shard),
      Effect.provideService(Snapshots, watched)
    )
    return { shard, snapshots, flush, seen, gate }
  })

it.effect("a clean shard is not saved: not before its first write, nor twice for one", () =>
  Effect.gen(function* () {
    const { flush, seen, shard } = yield* world()
    expect(yield* flush).toBe(false)
    shard.apply([put("default/a", 1)], 1)
    expect(yield* flush).toBe(true)
    expect(yield* flush).toBe(false)
    shard.apply([put("default/a", 1)], 2)
    expect(yield* flush, "a resend is no change").toBe(false)
    expect(seen.saves).toBe(1)
  })
)

it.effect("what changes while a save is under way is left dirty, and the next flush saves it", () =>
  Effect.gen(function* () {
    const slow = KvFaulty.make(KvMemory.make(), (operation) =>
      operation === "put" ? { kind: "delay", by: Duration.seconds(1) } : undefined
    )
    const { flush, shard, snapshots } = yield* world(SnapshotsKv.make(slow))
    shard.apply([put("default/a", 1)], 1)
    const flushing = yield* Effect.fork(flush)
    yield* TestClock.adjust("500 millis")
    shard.apply([put("default/b", 2)], 2)
    yield* TestClock.adjust("500 millis")
    expect(yield* Fiber.join(flushing)).toBe(true)
    expect((yield* loaded(snapshots, "shard-0"))?.rows.map(({ id }) => id)).toEqual(["default/a"])
    expect(shard.dirty()).toBe(true)
    const again = yield* Effect.fork(flush)
    yield* TestClock.adjust("1 seconds")
    expect(yield* Fiber.join(again)).toBe(true)
    expect(sorted(yield* loaded(snapshots, "shard-0"))).toEqual(sorted(imageIn(shard)))
    expect(shard.dirty()).toBe(false)
  })
)

it.effect("flushes asked for at once run one after the other, and one of them writes", () =>
  Effect.gen(function* () {
    const { flush, gate, seen, shard } = yield* world()
    shard.apply([put("default/a", 1)], 1)
    gate.current = Effect.sleep("1 second")
    const flushing = yield* Effect.fork(Effect.all([flush, flush, flush], { concurrency: "unbounded" }))
    yield* TestClock.adjust("3 seconds")
    expect(yield* Fiber.join(flushing)).toEqual([true, false, false])
    expect(seen).toEqual({ saves: 1, atOnce: 0, most: 1 })
  })
)

it.effect("a save that fails says so and leaves the shard dirty; one that hangs is given up after its deadline", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    const plan: { current: KvFaulty.FaultPlan } = { current: () => ({ kind: "fail", reason: "DailyLimit" }) }
    const snapshots = SnapshotsKv.make(KvFaulty.make(kv, (operation, call) => plan.current(operation, call)))
    const { flush, shard } = yield* world(snapshots)
    shard.apply([put("default/a", 1)], 1)
    expect(yield* Effect.flip(flush)).toMatchObject({ _tag: "SnapshotsError", reason: "DailyLimit" })
    expect(shard.dirty()).toBe(true)
    plan.current = (operation) => (operation === "put" ? { kind: "hang", applied: false } : undefined)
    const hanging = yield* Effect.fork(Effect.flip(flush))
    yield* TestClock.adjust("4 minutes")
    expect((yield* Fiber.join(hanging)).reason).toBe("Unavailable")
    expect(shard.dirty()).toBe(true)
    plan.current = () => undefined
    expect(yield* flush).toBe(true)
    expect(shard.dirty()).toBe(false)
  })
)

it.effect.prop(
  "whatever writes and failing flushes alternate: a clean shard's snapshot is the shard",
  [
    fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant("write" as const), key: fc.nat({ max: 5 }), gone: fc.boolean() }),
        fc.record({ kind: fc.constant("flush" as const), fault: fc.constantFrom(undefined, "fail", "lost") })
      ),
      { maxLength: 25 }
    )
  ],
  ([steps]) =>
    Effect.gen(function* () {
      const kv = KvMemory.make()
      let fault: "fail" | "lost" | undefined
      const snapshots = SnapshotsKv.make(
        KvFaulty.make(kv, () => (fault === undefined ? undefined : { kind: fault, reason: "Unavailable" }))
      )
      const { flush, shard } = yield* world(snapshots)
      for (const [at, step] of steps.entries()) {
        if (step.kind === "write") {
          const write = put(`default/${step.key}`, at + 1)
          shard.apply([step.gone ? { ...write, body: undefined } : write], at + 1)
        } else {
          fault = step.fault as typeof fault
          yield* Effect.exit(flush)
          fault = undefined
        }
        const saved = yield* loaded(SnapshotsKv.make(kv), "shard-0")
        if (!shard.dirty() && saved !== undefined) {
          expect(sorted(saved)).toEqual(sorted(imageIn(shard)))
        } else if (!shard.dirty()) expect(imageIn(shard).rows).toEqual([])
      }
    }),
  { fastCheck: { numRuns: runs(100) } }
)
