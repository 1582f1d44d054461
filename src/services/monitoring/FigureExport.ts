import type * as Effect from "effect/Effect"
import type { Figures } from "./model/Figures.ts"

/** One request that was answered, as traces have it. Moments are milliseconds since the epoch. */
export interface RequestSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** Of the caller's span; undefined where the trace begins here. */
  readonly parentId: string | undefined
  /** `GET cache`: no key, and nothing else that a client chose. */
  readonly route: string
  readonly method: string
  readonly status: number
  readonly tier: string
  readonly from: number
  readonly until: number
}

/** What one isolate counted from one moment to another, and requests of that time. */
export interface ExportBatch {
  readonly isolate: string
  readonly version: string
  readonly from: number
  readonly until: number
  readonly figures: Figures
  readonly spans: ReadonlyArray<RequestSpan>
}

/** Brings figures to where others look at them. What does not arrive is logged, and not sent again. */
export interface FigureExport {
  readonly send: (batch: ExportBatch) => Effect.Effect<void>
}
