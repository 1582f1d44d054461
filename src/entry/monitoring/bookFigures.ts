import * as Effect from "effect/Effect"
import type { FigureBookError } from "../../services/monitoring/FigureBook.ts"
import { problem } from "../http/problem.ts"

/** Figures of all isolates, or the problem that nobody tells them. */
export const known = <A, R>(effect: Effect.Effect<A, FigureBookError, R>) =>
  effect.pipe(
    Effect.tapError((error) => Effect.logWarning("the figures of all isolates are out of reach", error)),
    Effect.mapError(() => problem("unavailable", "the object that keeps the figures did not answer", { retryAfter: 5 }))
  )
