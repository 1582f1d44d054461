import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { FigureExport } from "../../services/monitoring/FigureExport.ts"
import { metricsOf, tracesOf } from "../../services/monitoring/model/Otlp.ts"

const patience = "10 seconds"

class NotTaken extends Data.TaggedError("NotTaken")<{ readonly status?: number; readonly cause?: unknown }> {}

export interface OtlpOptions {
  /** Of a collector, such as `https://otlp.example.com`; `/v1/metrics` and `/v1/traces` are behind it. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly fetch?: typeof fetch
}

/** One POST of metrics, and one of traces where there are any. */
export const make = ({
  endpoint,
  fetch: send = (...request) => fetch(...request),
  headers
}: OtlpOptions): FigureExport => {
  const post = (path: string, body: object) =>
    Effect.tryPromise({
      try: async (signal) => {
        const response = await send(`${endpoint.replace(/\/$/, "")}${path}`, {
          method: "POST",
          headers: { ...headers, "Content-Type": "application/json" },
          body: JSON.stringify(body),
          signal
        })
        await response.body?.cancel()
        if (!response.ok) throw new NotTaken({ status: response.status })
      },
      catch: (cause) => (cause instanceof NotTaken ? cause : new NotTaken({ cause }))
    }).pipe(
      Effect.timeoutFail({ duration: patience, onTimeout: () => new NotTaken({}) }),
      Effect.catchAll((error) => Effect.logWarning(`${endpoint}${path} did not take what was sent`, error))
    )
  return {
    send: (batch) =>
      Effect.zipRight(
        post("/v1/metrics", metricsOf(batch)),
        batch.spans.length === 0 ? Effect.void : post("/v1/traces", tracesOf(batch))
      )
  }
}
