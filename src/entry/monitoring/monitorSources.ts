import * as Effect from "effect/Effect"
import { Batcher } from "../../services/batching/Batcher.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { Monitor } from "../../services/monitoring/Monitor.ts"
import { type Figures, flattened, part } from "../../services/monitoring/model/Figures.ts"
import { Prefetch } from "../../services/prefetch/Prefetch.ts"
import { MemoryTier } from "../../services/tiers/MemoryTier.ts"
import { ReadPath } from "../../services/tiers/ReadPath.ts"

/** What the services of an isolate count anyway becomes its figures, until the effect that this gives is run. */
export const watchServices = Effect.gen(function* () {
  const monitor = yield* Monitor
  const ledger = yield* Ledger
  const readPath = yield* ReadPath
  const memory = yield* MemoryTier
  const prefetch = yield* Prefetch
  const batcher = yield* Batcher
  return monitor.watch((): Figures => {
    const { byCollection, byNamespace, total } = ledger.report()
    const {
      answered,
      byCollection: answers,
      edgeSkipped,
      earlyRefreshes,
      grace,
      overtaken,
      reads,
      stale
    } = readPath.stats()
    const { evictions, hits, misses, rejections, siblings } = memory.stats()
    const { carried, issued, used, wasted } = prefetch.stats()
    const batches = batcher.stats()
    return {
      ...flattened("ledger", total),
      ...Object.assign(
        {},
        ...Object.entries(byNamespace).map(([name, of]) => flattened(`namespace|${part(name)}`, of))
      ),
      ...Object.assign(
        {},
        ...Object.entries(byCollection).map(([name, { kv, kvCalls, logical }]) =>
          flattened(`collection|${part(name)}`, { kv, kvCalls, logical })
        )
      ),
      ...Object.assign(
        {},
        ...Object.entries(answers).map(([name, tiers]) => flattened(`collection|${part(name)}|answered`, tiers))
      ),
      ...flattened("reads", { asked: reads, stale, grace, overtaken, earlyRefreshes, edgeSkipped }),
      ...flattened("answered", answered),
      ...flattened("memory", { hits, misses, evictions, rejections, siblingHits: siblings.hits }),
      ...flattened("prefetch", { issued, used, wasted, carried }),
      ...flattened("batches|reads", {
        asked: batches.reads.asked,
        deduplicated: batches.reads.deduplicated,
        batches: batches.reads.batches
      }),
      ...flattened("batches|writes", {
        asked: batches.writes.asked,
        stored: batches.writes.stored,
        coalesced: batches.writes.coalesced,
        batches: batches.writes.batches,
        failed: batches.writes.failed
      })
    }
  })
})
