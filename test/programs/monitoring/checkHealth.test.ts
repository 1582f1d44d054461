import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as CheckHealth from "../../../src/programs/monitoring/checkHealth.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { MemoryTier } from "../../../src/services/tiers/MemoryTier.ts"
import { ReadPath, type ReadPathStats } from "../../../src/services/tiers/ReadPath.ts"

const memory = { entries: 1, bytes: 2, capacityBytes: 3, hits: 4, misses: 5, evictions: 6, rejections: 7 }

const reads = (over: Partial<ReadPathStats> = {}): ReadPathStats => ({
  reads: 0,
  answered: { static: 0, memory: 0, edge: 0, durable: 0, kv: 0, loader: 0 },
  byCollection: {},
  stale: 0,
  grace: 0,
  edgeSkipped: 0,
  edgeBreaker: "closed",
  overtaken: 0,
  earlyRefreshes: 0,
  ...over
})

/** Services that can only be asked for figures: touching anything else is a defect. */
const world = (stats: ReadPathStats) =>
  Layer.mergeAll(
    LedgerMemory.layer,
    Layer.succeed(MemoryTier, { stats: () => memory } as MemoryTier["Type"]),
    Layer.succeed(ReadPath, { stats: () => stats } as ReadPath["Type"])
  )

describe("health", () => {
  it.effect("before the first read is ok, and its ratios are numbers", () =>
    Effect.gen(function* () {
      const health = yield* Effect.flatten(CheckHealth.make)
      assert.strictEqual(health.status, "ok")
      assert.deepStrictEqual(health.cache.hitRatio, { memory: 0, edge: 0, durable: 0 })
    }).pipe(Effect.provide(world(reads())))
  )

  it.effect("gives each tier its share of the reads, and what was billed beside what was asked", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      ledger.record({ tier: "logical", collection: "default", kind: "reads", count: 8 })
      const health = yield* Effect.flatten(CheckHealth.make)
      assert.deepStrictEqual(health.cache.hitRatio, { memory: 0.5, edge: 0.25, durable: 0 })
      assert.deepStrictEqual(health.cache.memory, memory)
      assert.deepInclude(health.performance, { reads: 8, staleReads: 1, graceReads: 2 })
      assert.strictEqual(health.performance.withoutLarder.reads, 8)
      assert.strictEqual(health.performance.kv.reads, 0)
      assert.closeTo(health.performance.usdSaved, 8 * 0.5e-6, 1e-12)
    }).pipe(
      Effect.provide(
        world(
          reads({
            reads: 8,
            answered: { static: 0, memory: 4, edge: 2, durable: 0, kv: 2, loader: 0 },
            stale: 1,
            grace: 2
          })
        )
      )
    )
  )

  it.effect("is degraded while a tier is skipped", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flatten(CheckHealth.make)).status, "degraded")
    }).pipe(Effect.provide(world(reads({ edgeBreaker: "open" }))))
  )
})
