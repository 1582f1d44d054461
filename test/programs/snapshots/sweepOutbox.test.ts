import { expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvMetered from "../../../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as AdoptedNamesMemory from "../../../src/layers/snapshots/AdoptedNamesMemory.ts"
import * as OutboxKv from "../../../src/layers/snapshots/OutboxKv.ts"
import * as SweepOutbox from "../../../src/programs/snapshots/sweepOutbox.ts"
import type { ShardWrite } from "../../../src/services/durable/Shard.ts"
import type { Kv } from "../../../src/services/kv/Kv.ts"
import { AdoptedNames } from "../../../src/services/snapshots/AdoptedNames.ts"
import { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import { rowOf } from "../../support/durable/shardImages.ts"
import { runs } from "../../support/runs.ts"
import { imageIn } from "../../support/snapshots/wholeImages.ts"

const writeOf = (id: string, wall: number): ShardWrite => ({
  id,
  stamp: { wall, counter: 0, writer: "w" },
  body: rowOf(id, wall).body
})

/** An outbox over a namespace, and sweeps of it that share what they remember. */
const world = (kv: Context.Tag.Service<Kv> = KvMemory.make()) => {
  const outbox = OutboxKv.make(kv)
  const names = AdoptedNamesMemory.make()
  const sweep = <E>(adopt: (writes: ReadonlyArray<ShardWrite>) => Effect.Effect<unknown, E>) =>
    Effect.flatten(SweepOutbox.make(adopt)).pipe(
      Effect.provideService(Outbox, outbox),
      Effect.provideService(AdoptedNames, names)
    )
  return { outbox, sweep }
}

const nothing = { adopted: 0, writes: 0, failed: 0, absent: 0, complete: true }

it.effect("every parked write is handed over once; later sweeps pay for one list and nothing else", () =>
  Effect.gen(function* () {
    const ledger = LedgerMemory.make(0)
    const { outbox, sweep } = world(KvMetered.make(KvMemory.make(), ledger, "CACHE_DO_KV"))
    yield* outbox.park([writeOf("default/a", 1), writeOf("default/b", 1)], 1)
    yield* outbox.park([writeOf("default/c", 2)], 2)
    const taken: Array<string> = []
    const adopt = (writes: ReadonlyArray<ShardWrite>) => Effect.sync(() => taken.push(...writes.map(({ id }) => id)))
    expect(yield* sweep(adopt)).toEqual({ ...nothing, adopted: 2, writes: 3 })
    for (let again = 0; again < 3; again++) expect(yield* sweep(adopt)).toEqual(nothing)
    expect(taken.toSorted()).toEqual(["default/a", "default/b", "default/c"])
    expect(ledger.report().total.kv).toEqual({ reads: 2, writes: 2, deletes: 0, lists: 4 })
  })
)

it.effect("what cannot be adopted, or read, holds nothing else up and is tried again until it is", () =>
  Effect.gen(function* () {
    const { outbox, sweep } = world()
    for (const [at, id] of ["a", "b", "c"].entries()) yield* outbox.park([writeOf(id, 1)], at)
    const taken: Array<string> = []
    const refusing = (refused: string) => (writes: ReadonlyArray<ShardWrite>) =>
      writes[0]!.id === refused ? Effect.fail("down") : Effect.sync(() => taken.push(writes[0]!.id))
    expect(yield* sweep(refusing("b"))).toEqual({ ...nothing, adopted: 2, writes: 2, failed: 1 })
    expect(yield* sweep(refusing("b"))).toEqual({ ...nothing, failed: 1 })
    expect(yield* sweep(refusing(""))).toEqual({ ...nothing, adopted: 1, writes: 1 })
    expect(taken).toEqual(["a", "c", "b"])
  })
)

it.effect("a name is remembered for as long as the outbox lists it, and forgotten after 8 days", () =>
  Effect.gen(function* () {
    const names = AdoptedNamesMemory.make()
    const day = 86_400_000
    names.remember("old", 0)
    names.remember("new", 8 * day)
    expect(names.unknown(["old", "new", "never"])).toEqual(["never"])
    names.remember("newer", 8 * day + 1)
    expect(names.unknown(["old", "new", "newer"])).toEqual(["old"])
    const { outbox, sweep } = world()
    yield* outbox.park([writeOf("a", 1)], 0)
    let handed = 0
    const adopt = () =>
      Effect.sync(() => {
        handed += 1
      })
    for (let at = 0; at < 60; at++) {
      yield* sweep(adopt)
      yield* TestClock.adjust("4 hours")
    }
    expect(handed).toBe(1)
  })
)

it.effect("a parked write counts by its own stamp, and a loader's fill is none", () =>
  Effect.gen(function* () {
    const { outbox, sweep } = world()
    yield* outbox.park(
      [
        { ...writeOf("first", 1), firstUntil: 9e15 },
        { ...writeOf("fill", 1), lease: 1 }
      ],
      1
    )
    const taken: Array<ShardWrite> = []
    yield* sweep((writes) => Effect.sync(() => taken.push(...writes)))
    expect(taken).toStrictEqual([writeOf("first", 1)])
  })
)

it.effect("when the day's reads are spent the sweep stops asking, and says that it is not through", () =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    const ledger = LedgerMemory.make(0)
    const faulty = KvFaulty.make(kv, (operation) =>
      operation === "get" ? { kind: "fail", reason: "DailyLimit" } : undefined
    )
    const { outbox, sweep } = world(KvMetered.make(faulty, ledger, "CACHE_DO_KV"))
    for (let at = 0; at < 50; at++) yield* outbox.park([writeOf(`${at}`, 1)], at)
    const swept = yield* sweep(() => Effect.void)
    expect(swept).toMatchObject({ adopted: 0, complete: false })
    expect(ledger.report().total.kvRefused.reads).toBeLessThanOrEqual(4)
  })
)

it.effect("more than an invocation may read is left for the next sweeps, which finish it", () =>
  Effect.gen(function* () {
    const { outbox, sweep } = world()
    for (let at = 0; at < 2000; at++) yield* outbox.park([writeOf(`${at}`, 1)], at)
    const taken: Array<string> = []
    const adopt = (writes: ReadonlyArray<ShardWrite>) => Effect.sync(() => taken.push(writes[0]!.id))
    const first = yield* sweep(adopt)
    expect(first).toMatchObject({ adopted: 900, complete: false })
    expect((yield* sweep(adopt)).complete).toBe(false)
    expect(yield* sweep(adopt)).toMatchObject({ adopted: 200, complete: true })
    expect(new Set(taken).size).toBe(2000)
  })
)

it.effect.prop(
  "sweeps that break anywhere and start again bring every write to the shard, and end where an unbroken one does",
  [
    fc.array(fc.array(fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 30 })), { maxLength: 3 }), { maxLength: 6 }),
    fc.nat(),
    fc.nat({ max: 5 })
  ],
  ([batches, seed, forgetful]) =>
    Effect.gen(function* () {
      const writes = batches.map((batch) => batch.map(([key, wall]) => writeOf(`default/${key}`, wall + 1)))
      const kv = KvMemory.make()
      for (const [at, batch] of writes.entries()) yield* OutboxKv.make(kv).park(batch, at)
      const faults = [{ kind: "fail", reason: "Unavailable" } as const]
      const broken = KvFaulty.make(kv, KvFaulty.seeded(seed, 0.3, faults))
      const shard = ShardMemory.make()
      const adopt = (some: ReadonlyArray<ShardWrite>) => Effect.sync(() => shard.apply(some, 1000))
      let { sweep } = world(broken)
      for (let at = 0; at < 40; at++) {
        if (at % 6 === forgetful) ({ sweep } = world(broken))
        yield* Effect.exit(
          sweep((some) => Effect.zipRight(adopt(some), at % 3 === 0 ? Effect.fail("late") : Effect.void))
        )
      }
      yield* world(kv).sweep(adopt)
      const unbroken = ShardMemory.make()
      unbroken.apply(writes.flat(), 1000)
      const versions = (one: typeof shard) =>
        new Map(imageIn(one).rows.map(({ body, id, version }) => [id, [version, body]]))
      expect(versions(shard)).toEqual(versions(unbroken))
    }),
  { fastCheck: { numRuns: runs(60) } }
)
