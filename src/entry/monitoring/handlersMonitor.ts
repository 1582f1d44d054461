import * as Effect from "effect/Effect"
import { exportMetrics } from "../../programs/monitoring/exportMetrics.ts"
import { readPerformance } from "../../programs/monitoring/readPerformance.ts"
import type { FigureBookError } from "../../services/monitoring/FigureBook.ts"
import { larder } from "../http/apiLarder.ts"
import * as Handlers from "../http/handlers.ts"
import { isoTime } from "../http/isoTime.ts"
import { problem } from "../http/problem.ts"
import { monitor } from "./apiMonitor.ts"

const known = <A, R>(effect: Effect.Effect<A, FigureBookError, R>) =>
  effect.pipe(
    Effect.tapError((error) => Effect.logWarning("the figures of all isolates are out of reach", error)),
    Effect.mapError(() => problem("unavailable", "the object that keeps the figures did not answer", { retryAfter: 5 }))
  )

export const layer = Handlers.group(larder.add(monitor), "monitor", (handlers) =>
  Effect.succeed(
    handlers
      .handle("performance", () =>
        Effect.map(known(readPerformance), ({ byCollection, byRoute, since, total, ...rest }) => ({
          ...rest,
          since: isoTime(since) ?? "",
          total: { ...total },
          byRoute: byRoute.map((route) => ({ ...route })),
          byCollection: byCollection.map((collection) => ({ ...collection }))
        }))
      )
      .handle("metrics", () => known(exportMetrics))
  )
)
