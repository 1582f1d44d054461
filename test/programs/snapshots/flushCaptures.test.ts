import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as SnapshotsMemory from "../../../src/layers/snapshots/SnapshotsMemory.ts"
import * as FlushShard from "../../../src/programs/snapshots/flushShard.ts"
import { Shard } from "../../../src/services/durable/Shard.ts"
import { Snapshots, SnapshotsError } from "../../../src/services/snapshots/Snapshots.ts"
import { bodyOf, put } from "../../support/durable/shardActs.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"

it.effect.prop(
  "every capture of a shard is closed once, whether its save succeeds, fails, dies or never ends",
  [fc.array(fc.constantFrom("saves", "fails", "dies", "hangs", "interrupted"), { minLength: 1, maxLength: 8 })],
  ([outcomes]) =>
    virtually(
      Effect.gen(function* () {
        const shard = ShardMemory.make()
        const closed: Array<number> = []
        const watched: Shard["Type"] = {
          ...shard,
          capture: () => {
            const capture = shard.capture()
            const number = closed.push(0) - 1
            return {
              ...capture,
              close: () => {
                closed[number]! += 1
                capture.close()
              }
            }
          }
        }
        let outcome = ""
        const snapshots = SnapshotsMemory.make()
        const flush = yield* FlushShard.make("shard-0").pipe(
          Effect.provideService(Shard, watched),
          Effect.provideService(Snapshots, {
            ...snapshots,
            save: (name, image, now) =>
              outcome === "saves"
                ? snapshots.save(name, image, now)
                : outcome === "fails"
                  ? Effect.fail(new SnapshotsError({ operation: "save", reason: "Unavailable" }))
                  : outcome === "dies"
                    ? Effect.die("a bug")
                    : Effect.never
          })
        )
        for (const [number, next] of outcomes.entries()) {
          outcome = next
          shard.apply([put("default/a", number + 1, bodyOf(`${number}`))], number + 1)
          const flushing = yield* Effect.fork(flush)
          if (next === "interrupted") yield* Effect.fork(Effect.interruptible(flushing.interruptAsFork(flushing.id())))
          yield* TestClock.adjust("10 minutes")
          expect([next, closed.length, closed.at(-1)]).toStrictEqual([next, number + 1, 1])
          expect(shard.dirty()).toBe(next !== "saves")
        }
      })
    ),
  { fastCheck: { numRuns: runs(50) } }
)
