import * as Effect from "effect/Effect"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { MemoryTier } from "../../services/tiers/MemoryTier.ts"
import { ReadPath } from "../../services/tiers/ReadPath.ts"

/** What an isolate knows of itself without asking anyone, so that anybody may ask it, and often. */
export const make = Effect.map(Effect.all([ReadPath, MemoryTier, Ledger]), ([path, memory, ledger]) =>
  Effect.sync(() => {
    const reads = path.stats()
    const report = ledger.report()
    const share = (part: number): number => (reads.reads === 0 ? 0 : part / reads.reads)
    return {
      status: reads.edgeBreaker === "open" ? ("degraded" as const) : ("ok" as const),
      cache: {
        memory: memory.stats(),
        edge: { breaker: reads.edgeBreaker, skipped: reads.edgeSkipped },
        hitRatio: {
          memory: share(reads.answered.memory),
          edge: share(reads.answered.edge),
          durable: share(reads.answered.durable)
        }
      },
      performance: {
        reads: reads.reads,
        staleReads: reads.stale,
        graceReads: reads.grace,
        kv: report.total.kv,
        withoutLarder: report.total.logical,
        usdSaved: report.usd.saved
      }
    }
  })
)
