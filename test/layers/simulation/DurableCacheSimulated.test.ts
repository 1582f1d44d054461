import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as DurableCacheSimulated from "../../../src/layers/simulation/DurableCacheSimulated.ts"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import { KvInvocation } from "../../../src/services/kv/KvInvocation.ts"
import { medianAt, roundTrip } from "../../../src/services/simulation/model/DurableLatency.ts"
import { contract } from "../../contracts/durable/DurableCache.ts"
import { operationsOf } from "../../support/durable/shardOperations.ts"
import { write } from "../../support/durable/shardWrite.ts"
import { runs } from "../../support/runs.ts"
import { largeValues } from "../../support/snapshots/largeValues.ts"

const hour = Duration.toMillis("1 hour")

const simulated = (besides: Effect.Effect<unknown> = Effect.void): DurableCacheSimulated.SimulatedObject => {
  const shard = ShardMemory.make()
  return { shard, operations: operationsOf(shard), everyMillis: hour, sweepRows: 1000, besides }
}

contract(
  "DurableCacheSimulated",
  (count) => {
    const ledger = LedgerMemory.make(0)
    const objects = Array.from({ length: count }, () => simulated())
    const cache = Effect.runSync(DurableCacheSimulated.makeWorld(objects, ledger, { latency: "none" })).at(0)
    return { cache, billed: () => ledger.report().total.durableObject, large: largeValues(cache) }
  },
  { runs: runs(50) }
)

/** Runs the body against one object in virtual time that began at 0. */
const inTime = <A>(
  body: (
    world: DurableCacheSimulated.DurableWorld,
    billed: () => { readonly requests: number; readonly rowsRead: number; readonly rowsWritten: number },
    object: DurableCacheSimulated.SimulatedObject,
    now: () => number
  ) => Effect.Effect<A, unknown>,
  { besides, seed = 1 }: { readonly besides?: Effect.Effect<unknown>; readonly seed?: number } = {}
): A => {
  const time = VirtualTime.make(0, 1)
  const ledger = LedgerMemory.make(0)
  const object = simulated(besides)
  const exit = time.run(
    Effect.flatMap(DurableCacheSimulated.makeWorld([object], ledger, { seed }), (world) =>
      body(world, () => ledger.report().total.durableObject, object, time.now)
    )
  )
  return Exit.getOrElse(exit, (cause) => {
    throw new Error("the body failed", { cause })
  })
}

describe("objects in virtual time", () => {
  it("answer after a round trip of the asking location, the same for one seed", () => {
    const trips = (location: number, seed = 1) =>
      inTime(
        (world, _, __, now) =>
          Effect.forEach(Array.from({ length: 200 }), () => {
            const asked = now()
            return Effect.map(world.at(location).getMany(["a"]), () => now() - asked)
          }),
        { seed }
      )
    for (const location of [0, 1, 2]) {
      const took = trips(location).toSorted((a, b) => a - b)
      const median = medianAt(1, location)
      assert.closeTo(took[100]!, median, median / 5)
      assert.isAtLeast(took[0]!, roundTrip(median)[0]![1] - 1e-6)
    }
    assert.deepStrictEqual(trips(0), trips(0))
    assert.notDeepEqual(trips(0), trips(0, 2))
  })

  it("bill an alarm as a request and a row, set by the first change and not by the next ones", () => {
    const bills = inTime(({ at }, billed) =>
      Effect.gen(function* () {
        yield* at(0).apply([write("a")])
        const first = billed()
        yield* at(0).apply([write("b"), write("c")])
        const second = billed()
        yield* Effect.sleep(hour)
        yield* at(0).getMany(["a"])
        return [first, second, billed()]
      })
    )
    // The first change also turns the dirty flag, and the flush turns it back: a row each. Nothing is left to be done, so
    // that no alarm is set again.
    assert.deepStrictEqual(
      bills.map(({ requests, rowsWritten }) => [requests, rowsWritten]),
      [
        [1, 1 + 1 + 1],
        [2, 3 + 2],
        [2 + 1 + 1, 5 + 1]
      ]
    )
  })

  it("fire an hour after each change, flush what changed, and have an invocation's KV operations each", () => {
    let operations = 0
    const rang: Array<readonly [number, number, boolean]> = []
    let now = () => 0
    let dirty = () => false
    const besides = Effect.map(KvInvocation, (invocation) => {
      operations = invocation.remaining
      invocation.remaining = 0
      rang.push([Math.floor(now() / hour), operations, dirty()])
    })
    inTime(
      ({ at }, _, { shard }, time) => {
        now = time
        dirty = shard.dirty
        const changed = (value: string) => Effect.zipRight(at(0).apply([write(value)]), Effect.sleep(1.25 * hour))
        return Effect.zipRight(Effect.forEach(["a", "b", "c"], changed), Effect.sleep(3 * hour))
      },
      { besides }
    )
    assert.deepStrictEqual(rang, [
      [1, 1000, false],
      [2, 1000, false],
      [3, 1000, false]
    ])
  })

  it("never fire while nothing changes", () => {
    let fires = 0
    const besides = Effect.sync(() => {
      fires += 1
    })
    inTime(({ at }) => Effect.zipRight(at(0).getMany(["a"]), Effect.sleep(10 * hour)), { besides })
    assert.strictEqual(fires, 0)
  })

  it("fire no alarm that was set anew in the meantime", () => {
    let fires = 0
    const besides = Effect.sync(() => {
      fires += 1
    })
    const counts = inTime(
      ({ at, settle }) =>
        Effect.gen(function* () {
          yield* at(0).apply([write("a")])
          yield* Effect.sleep(0.5 * hour)
          yield* settle
          yield* at(0).apply([write("b")])
          yield* Effect.sleep(0.75 * hour)
          const early = fires
          yield* Effect.sleep(0.5 * hour)
          return [early, fires]
        }),
      { besides }
    )
    assert.deepStrictEqual(counts, [1, 2])
  })

  it("settle by flushing what is dirty at once, and by billing what no call was told of", () => {
    const [before, after, again] = inTime(({ at, settle }, billed, { shard }) =>
      Effect.gen(function* () {
        yield* at(0).apply([write("a")])
        const before = billed()
        yield* settle
        assert.isFalse(shard.dirty())
        const after = billed()
        yield* settle
        return [before, after, billed()] as const
      })
    )
    assert.deepStrictEqual([after.requests - before.requests, after.rowsWritten - before.rowsWritten], [1, 1])
    assert.deepStrictEqual(again, after)
  })
})
