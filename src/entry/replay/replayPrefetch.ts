import * as PrefetchGraph from "../../layers/prefetch/PrefetchGraph.ts"
import type { PrefetchService } from "../../services/prefetch/Prefetch.ts"
import * as PrefetchScore from "../../services/replay/model/PrefetchScore.ts"
import type { Replayed } from "../../services/replay/model/Replayed.ts"
import type { Workload } from "../../services/replay/Workload.ts"
import { defaults } from "../../services/settings/Settings.ts"

/**
 * Predictors, one for each isolate, and one score of all they predict. A prediction is made for every read, whether or
 * not there is anything to send it along with.
 */
export const make = (
  workload: Workload["Type"],
  precision = defaults.prefetchPrecision
): { readonly predictor: (seed: number) => PrefetchService; readonly result: () => Replayed["prefetch"] } => {
  const score = PrefetchScore.scorer(workload.length)
  const secondHalf = workload.request(Math.ceil(workload.length / 2) % workload.length).at
  return {
    predictor: (seed) => {
      const graph = PrefetchGraph.make({ precision, seed })
      const waiting = new Map<string, ReadonlyArray<string>>()
      return {
        ...graph,
        note: (session, id, now, held) => {
          graph.note(session, id, now, held)
          const predictions = graph.take(session, () => false)
          score.read(now < secondHalf ? 0 : workload.length, session, id, predictions)
          if (predictions.length > 0) waiting.set(session, predictions)
          else waiting.delete(session)
        },
        take: (session, held, atLeast = 0) =>
          atLeast > 0 ? [] : (waiting.get(session) ?? []).filter((id) => !held(id))
      }
    },
    result: score.result
  }
}
