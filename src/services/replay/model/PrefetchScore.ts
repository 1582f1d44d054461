import { horizon } from "../../prefetch/Prefetch.ts"
import type { Replayed } from "./Replayed.ts"

interface SessionScore {
  requests: number
  readonly asked: Set<string>
  readonly predicted: Set<string>
  /** By id, the request that an unanswered prediction was made at, and whether it counts. */
  readonly waiting: Map<string, { readonly madeAt: number; readonly counts: boolean }>
}

/**
 * Scores predictions over a workload of so many requests, and counts its second half: what was issued; what of that its
 * session asked for within {@link horizon} requests; the sessions' first reads of an id; and those of them that had been
 * predicted to the session before, whenever that was.
 */
export const scorer = (requests: number) => {
  const sessions = new Map<string, SessionScore>()
  const counts = { issued: 0, used: 0, coverable: 0, covered: 0 }

  const sessionOf = (name: string): SessionScore => {
    let session = sessions.get(name)
    if (session === undefined) {
      session = { requests: 0, asked: new Set(), predicted: new Set(), waiting: new Map() }
      sessions.set(name, session)
    }
    return session
  }

  return {
    /**
     * One read and what was predicted after it, in the order of the workload.
     *
     * @param index of the request in the workload, from 0
     */
    read: (index: number, name: string, id: string, predictions: ReadonlyArray<string>): void => {
      const counted = index * 2 >= requests
      const session = sessionOf(name)
      const now = ++session.requests
      const waiting = session.waiting.get(id)
      if (waiting !== undefined) {
        session.waiting.delete(id)
        if (waiting.counts && now - waiting.madeAt <= horizon) counts.used += 1
      }
      if (!session.asked.has(id)) {
        session.asked.add(id)
        if (counted) {
          counts.coverable += 1
          if (session.predicted.has(id)) counts.covered += 1
        }
      }
      for (const prediction of predictions) {
        if (counted) counts.issued += 1
        session.predicted.add(prediction)
        session.waiting.set(prediction, { madeAt: now, counts: counted })
      }
    },
    result: (): Replayed["prefetch"] => ({ ...counts })
  }
}
