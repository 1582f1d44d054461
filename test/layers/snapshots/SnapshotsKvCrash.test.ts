import { isDeepStrictEqual } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import type { ShardImage } from "../../../src/services/durable/Shard.ts"
import { rowOf, sorted } from "../../support/durable/shardImages.ts"
import { runs } from "../../support/runs.ts"
import { tiny } from "../../support/snapshots/snapshotSizes.ts"
import { loaded, sourceOf } from "../../support/snapshots/wholeImages.ts"
import { virtually } from "../../support/virtually.ts"

const shard = "shard-0"

/** One save: what changed since the one before, when, where it breaks, and whether its process dies of it. */
const attempt = fc.record({
  puts: fc.array(fc.nat({ max: 15 }), { maxLength: 10 }),
  removals: fc.array(fc.nat({ max: 15 }), { maxLength: 4 }),
  marks: fc.nat({ max: 3 }),
  after: fc.constantFrom(0, 1_000, 3_600_000, 43_200_000, 90_000_000),
  fault: fc.option(
    fc.record({
      at: fc.nat({ max: 14 }),
      kind: fc.constantFrom("fail", "lost"),
      andOn: fc.boolean()
    }),
    { nil: undefined }
  ),
  dies: fc.boolean()
})

type Attempt = typeof attempt extends fc.Arbitrary<infer A> ? A : never

/** The images that a sequence of saves is to save: rows come, change and go, each version an own one. */
const imagesOf = (attempts: ReadonlyArray<Attempt>): ReadonlyArray<ShardImage> => {
  const rows = new Map<string, ReturnType<typeof rowOf>>()
  return attempts.map(({ marks, puts, removals }, at) => {
    for (const put of puts) rows.set(`row-${put}`, rowOf(`row-${put}`, at + 1, 40 + put * 6))
    for (const removal of removals) rows.delete(`row-${removal}`)
    return { rows: [...rows.values()], tags: new Map([[`tag-${marks}`, { wall: at, counter: 0, writer: "w" }]]) }
  })
}

const planOf = (fault: Attempt["fault"], from: () => number): KvFaulty.FaultPlan => {
  const broken = { kind: fault?.kind as "fail" | "lost", reason: "Unavailable" as const }
  return (_, call) => {
    const at = call - from()
    return fault !== undefined && (fault.andOn ? at >= fault.at : at === fault.at) ? broken : undefined
  }
}

/** How often the cases that matter came up. */
const seen = { acknowledged: 0, brokenMidway: 0, tookEffectUnacknowledged: 0 }

describe("a save is all or nothing:", () => {
  it.effect.prop(
    "wherever saves break, before or after an operation's effect, load gives the last image acknowledged or a later one",
    [fc.array(attempt, { minLength: 2, maxLength: 8 })],
    ([attempts]) =>
      virtually(
        Effect.gen(function* () {
          const images = imagesOf(attempts)
          const store = KvMemory.make()
          let plan: KvFaulty.FaultPlan = () => undefined
          let calls = 0
          const kv = KvFaulty.make(store, (operation, call) => {
            calls = call + 1
            return plan(operation, call)
          })
          let snapshots = SnapshotsKv.make(kv, tiny)
          let now = 0
          let possible: ReadonlyArray<ShardImage | undefined> = [undefined]
          for (const [at, { after, dies, fault }] of attempts.entries()) {
            now += after
            const from = calls
            plan = planOf(fault, () => from)
            const exit = yield* Effect.exit(snapshots.save(shard, sourceOf(images[at]!), now))
            possible = Exit.isSuccess(exit) ? [images[at]] : [...possible, images[at]]
            const found = sorted(yield* loaded(SnapshotsKv.make(store, tiny), shard))
            const index = possible.findIndex((image) => isDeepStrictEqual(sorted(image), found))
            expect(index, "neither the image before nor this one").toBeGreaterThanOrEqual(0)
            if (Exit.isSuccess(exit)) seen.acknowledged += 1
            else if (calls - from > 2) seen.brokenMidway += 1
            if (Exit.isFailure(exit) && possible[index] === images[at]) seen.tookEffectUnacknowledged += 1
            if (dies) snapshots = SnapshotsKv.make(kv, tiny)
          }
          plan = () => undefined
          const last = { rows: [rowOf("end", 99, 900)], tags: new Map() }
          for (const later of [0, 90_000_000, 180_000_000, 270_000_000]) {
            now += later
            const image = { ...last, rows: [rowOf(`end-${later}`, 99 + later, 900)] }
            yield* SnapshotsKv.make(kv, tiny).save(shard, sourceOf(image), now)
            expect(sorted(yield* loaded(SnapshotsKv.make(store, tiny), shard))).toStrictEqual(sorted(image))
          }
          const left = (yield* store.list({ prefix: "~~seg/" })).keys.map(({ name }) => name.split("/")[2])
          expect(new Set(left).size, "segments that nothing will ever delete").toBeLessThanOrEqual(4)
        })
      ),
    { fastCheck: { numRuns: runs(120) }, timeout: 3_600_000 }
  )

  it("the runs above broke saves in all the ways they are about", () => {
    expect(seen.acknowledged).toBeGreaterThan(runs(120))
    expect(seen.brokenMidway).toBeGreaterThan(runs(60))
    expect(seen.tookEffectUnacknowledged).toBeGreaterThanOrEqual(runs(6))
  })

  it.effect("a save that hangs at any step and is given up leaves the image before, and the next one succeeds", () =>
    Effect.gen(function* () {
      const before = { rows: [rowOf("a", 1, 500)], tags: new Map() }
      const after = { rows: [rowOf("a", 2, 500), rowOf("b", 2, 500)], tags: new Map() }
      for (const applied of [false, true]) {
        for (let step = 0; step < 12; step++) {
          const store = KvMemory.make()
          yield* SnapshotsKv.make(store, tiny).save(shard, sourceOf(before), 0)
          let stuck = true
          const kv = KvFaulty.make(store, (_, call) => (stuck && call === step ? { kind: "hang", applied } : undefined))
          const snapshots = SnapshotsKv.make(kv, tiny)
          const saving = yield* Effect.fork(Effect.timeout(snapshots.save(shard, sourceOf(after), 1), "1 minute"))
          yield* TestClock.adjust("1 minute")
          const exit = yield* Fiber.await(saving)
          stuck = false
          const found = sorted(yield* loaded(SnapshotsKv.make(store, tiny), shard))
          if (Exit.isSuccess(exit)) expect(found).toStrictEqual(sorted(after))
          else expect(isDeepStrictEqual(found, sorted(before)) || isDeepStrictEqual(found, sorted(after))).toBe(true)
          yield* snapshots.save(shard, sourceOf(after), 2)
          expect(sorted(yield* loaded(SnapshotsKv.make(store, tiny), shard))).toStrictEqual(sorted(after))
        }
      }
    })
  )
})

it.effect.prop(
  "where KV lags, a reader elsewhere gets one image whole, or is told to come again; in the end it gets the newest",
  [fc.array(attempt, { minLength: 2, maxLength: 8 }), fc.nat()],
  ([attempts, seed]) =>
    virtually(
      Effect.gen(function* () {
        const images = imagesOf(attempts)
        const world = KvSimulated.makeWorld({
          seed,
          latency: "none",
          writeRate: false,
          consistency: { reuse: 60_000, tail: { probability: 0.3, max: 60_000 }, ownWrites: 0.5, listLag: 60_000 }
        })
        const reader = SnapshotsKv.make(world.at("there"), tiny)
        let writer = SnapshotsKv.make(world.at("here"), tiny)
        const saved: Array<unknown> = [undefined]
        let now = 0
        for (const [at, { after, dies }] of attempts.entries()) {
          now += after
          yield* TestClock.setTime(now)
          yield* writer.save(shard, sourceOf(images[at]!), now)
          saved.push(sorted(images[at]))
          if (dies) writer = SnapshotsKv.make(world.at("here"), tiny)
          const read = yield* Effect.either(loaded(reader, shard))
          if (read._tag === "Left") expect(read.left.reason).toBe("Unavailable")
          else expect(saved.some((image) => isDeepStrictEqual(image, sorted(read.right)))).toBe(true)
        }
        yield* TestClock.setTime(now + 600_000)
        expect(sorted(yield* loaded(reader, shard))).toStrictEqual(saved.at(-1))
      })
    ),
  { fastCheck: { numRuns: runs(30) }, timeout: 3_600_000 }
)
