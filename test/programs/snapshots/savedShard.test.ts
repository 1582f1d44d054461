import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import type { Shard } from "../../../src/services/durable/Shard.ts"
import { rowOf } from "../../support/durable/shardImages.ts"
import { runs, seedOr } from "../../support/runs.ts"
import { tiny } from "../../support/snapshots/snapshotSizes.ts"

const day = 86_400_000
const ids = Array.from({ length: 12 }, (_, i) => `${i % 2 === 0 ? "a" : "b"}/${i}`)

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      _: fc.constant("write" as const),
      id: fc.nat({ max: ids.length - 1 }),
      gone: fc.boolean(),
      ttl: fc.constantFrom(1000, 3 * day, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
      tagged: fc.boolean()
    })
  },
  { weight: 2, arbitrary: fc.record({ _: fc.constantFrom("invalidate" as const, "sweep" as const) }) },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("clear" as const), prefix: fc.constantFrom("a/", "b/") }) },
  {
    weight: 3,
    arbitrary: fc.record({ _: fc.constant("wait" as const), millis: fc.constantFrom(1, 2000, 3_600_000, day, 4 * day) })
  },
  { weight: 1, arbitrary: fc.record({ _: fc.constantFrom("restart" as const, "drop" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      _: fc.constant("save" as const),
      fault: fc.option(fc.record({ at: fc.nat({ max: 8 }), kind: fc.constantFrom("fail" as const, "lost" as const) }), {
        nil: undefined
      }),
      /** What happens between two operations of KV while it is saved. */
      meanwhile: fc.array(fc.nat({ max: ids.length - 1 }), { maxLength: 3 })
    })
  }
)

/** All that a reader finds, now and later. */
const seen = (shard: Shard["Type"], now: number) =>
  [0, 2000, 4 * day].map((later) =>
    shard
      .getMany(ids, now + later)
      .flatMap((entry, at) => (entry === undefined ? [] : [[ids[at], entry.stamp, [...entry.value]]]))
  )

it.effect.prop(
  "after any writes, deletes, expiries, clears, sweeps, restarts and failing saves, what is saved is what there was",
  [fc.array(step, { minLength: 4, maxLength: 60, size: "max" })],
  ([steps]) =>
    Effect.gen(function* () {
      const store = KvMemory.make()
      let onCall: (call: number) => KvFaulty.Fault | undefined = () => undefined
      let calls = 0
      const kv = KvFaulty.make(store, () => onCall(calls++))
      const disk = ShardMemory.disk()
      let shard = ShardMemory.make(disk)
      let snapshots = SnapshotsKv.make(kv, tiny)
      let now = 1_700_000_000_000
      let counter = 0
      const stamp = () => ({ wall: now, counter: counter++, writer: "w" })
      const write = (id: string, gone: boolean, ttl: number, tagged: boolean) => {
        const body = gone
          ? undefined
          : { ...rowOf(id, ++counter, 30 + (counter % 50)).body!, expiresAt: now + ttl, tags: tagged ? ["t"] : [] }
        shard.apply([{ id, stamp: stamp(), firstUntil: now, body }], now)
      }
      for (const one of steps) {
        switch (one._) {
          case "write":
            write(ids[one.id]!, one.gone, one.ttl, one.tagged)
            break
          case "invalidate":
            shard.invalidateTags(["t"], stamp(), now)
            break
          case "clear":
            shard.clear(one.prefix, stamp(), now)
            break
          case "sweep":
            shard.sweep(1000, now)
            break
          case "wait":
            now += one.millis
            break
          case "restart":
            shard = ShardMemory.make(disk)
            snapshots = SnapshotsKv.make(kv, tiny)
            break
          case "drop":
            while (shard.drop(5) > 0) {}
            break
          case "save": {
            const { fault, meanwhile } = one
            calls = 0
            const left = [...meanwhile]
            onCall = (call) => {
              const next = left.pop()
              if (next !== undefined) write(ids[next]!, call % 2 === 0, 1000 + 4 * day * (call % 3), false)
              return fault !== undefined && call >= fault.at ? { kind: fault.kind, reason: "Unavailable" } : undefined
            }
            const exit = yield* Effect.exit(snapshots.save("shard-0", shard.source, now))
            onCall = () => undefined
            if (exit._tag === "Failure") break
            if (shard.dirty()) yield* snapshots.save("shard-0", shard.source, now)
            const restored = ShardMemory.make()
            yield* SnapshotsKv.make(store, tiny).load("shard-0", (part) => Effect.sync(() => restored.merge(part, now)))
            expect(seen(restored, now)).toEqual(seen(shard, now))
            const opened = yield* SnapshotsKv.make(store, tiny).open("shard-0")
            for (const entry of shard.getMany(ids, now).entries()) {
              if (entry[1] !== undefined) {
                expect((yield* opened!.find(ids[entry[0]]!))?.version).toEqual(entry[1].stamp)
              }
            }
          }
        }
      }
    }),
  { fastCheck: { numRuns: runs(150), seed: seedOr(1) }, timeout: 3_600_000 }
)
