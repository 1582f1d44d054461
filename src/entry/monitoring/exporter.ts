import * as Effect from "effect/Effect"
import * as FigureExportAnalytics from "../../layers/monitoring/FigureExportAnalytics.ts"
import * as FigureExportOtlp from "../../layers/monitoring/FigureExportOtlp.ts"
import type { LedgerTotals } from "../../services/ledger/Ledger.ts"
import type { ExportBatch, FigureExport } from "../../services/monitoring/FigureExport.ts"
import { variablesOf } from "../variables.ts"

/** `name=value` pairs, separated by commas and percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS writes them. */
export const headersIn = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text.split(",").flatMap((pair) => {
      const at = pair.indexOf("=")
      return at < 1 ? [] : [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]]
    })
  )

/** Where an environment has its figures brought to. */
const exportsOf = (env: object, endpoint: string, shape: LedgerTotals): ReadonlyArray<FigureExport> => {
  const { METRICS } = env as { readonly METRICS?: AnalyticsEngineDataset }
  const headers = headersIn(variablesOf(env).get("OTLP_HEADERS") ?? "")
  return [
    ...(METRICS === undefined ? [] : [FigureExportAnalytics.make(METRICS, shape)]),
    ...(endpoint === "none" ? [] : [FigureExportOtlp.make({ endpoint, headers })])
  ]
}

/** Brings a batch to all of them. */
export const send = (env: object, endpoint: string, shape: LedgerTotals, batch: ExportBatch): Effect.Effect<void> =>
  Effect.forEach(exportsOf(env, endpoint, shape), (to) => to.send(batch), { discard: true, concurrency: "unbounded" })
