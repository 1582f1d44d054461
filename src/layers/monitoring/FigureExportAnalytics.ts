import * as Effect from "effect/Effect"
import type { LedgerTotals } from "../../services/ledger/Ledger.ts"
import type { FigureExport } from "../../services/monitoring/FigureExport.ts"
import { pointsOf } from "../../services/monitoring/model/AnalyticsPoints.ts"

/** Points in a dataset of Workers Analytics Engine: writing one waits for nothing. */
export const make = (dataset: AnalyticsEngineDataset, shape: LedgerTotals): FigureExport => ({
  send: ({ figures, isolate }) =>
    Effect.sync(() => {
      for (const { blobs, doubles, indexes } of pointsOf(figures, shape, isolate)) {
        dataset.writeDataPoint({ blobs: [...blobs], doubles: [...doubles], indexes: [...indexes] })
      }
    })
})
