import * as Effect from "effect/Effect"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { FigureBook } from "../../services/monitoring/FigureBook.ts"
import { metricsText } from "../../services/monitoring/model/OpenMetrics.ts"
import { summaryOf } from "../../services/monitoring/model/Performance.ts"
import { MemoryTier } from "../../services/tiers/MemoryTier.ts"

/** The counters of all isolates, and the gauges of the one that answers, as Prometheus reads them. */
export const exportMetrics = Effect.gen(function* () {
  const memory = yield* MemoryTier
  const ledger = yield* Ledger
  const { view } = yield* FigureBook
  const { isolates, total } = yield* view
  const { usd } = summaryOf(total, ledger.report().total)
  const held = memory.stats()
  return metricsText(total, [
    { name: "larder_isolates", help: "Isolates that told something in the last quarter of an hour.", value: isolates },
    { name: "larder_usd_spent_total", help: "List price of what was done, in dollars.", value: usd.spent },
    {
      name: "larder_usd_without_total",
      help: "List price of what was asked for, as one KV operation each, in dollars.",
      value: usd.withoutLarder
    },
    {
      name: "larder_isolate_memory_bytes",
      help: "Bytes in the memory tier of the isolate that answers.",
      value: held.bytes
    },
    { name: "larder_isolate_memory_entries", help: "Entries there.", value: held.entries }
  ])
})
