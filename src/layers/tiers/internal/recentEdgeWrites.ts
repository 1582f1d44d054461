import { compareStamps, type Observation, type Stamp, zeroStamp } from "../../../services/store/model/Entry.ts"

/** Ids that are kept apart; beyond, the oldest is forgotten, and nothing that was read until then counts on edge. */
const maxIds = 1000

interface Mark {
  /** Of what the write left; undefined for an absence, and where nobody knows what it left. */
  readonly stamp: Stamp | undefined
  /** Milliseconds since the epoch. */
  readonly readAt: number
  readonly until: number
}

/**
 * What this isolate has written and the edge cache, which is written behind, may not show yet: until it does, or what
 * was there before has ended of itself, edge is no answer.
 */
export const makeRecentEdgeWrites = () => {
  const marks = new Map<string, Mark>()
  /** When the latest write was made that is kept apart no more, while edge might show what was there before it. */
  let forgottenAt = Number.NEGATIVE_INFINITY

  return {
    /** @param until milliseconds since the epoch from which edge cannot hold anything older */
    note: (id: string, { entry, readAt }: Observation, until: number): void => {
      marks.delete(id)
      marks.set(id, { stamp: entry?.stamp, readAt, until })
      for (const [oldest, mark] of marks) {
        if (mark.until > readAt && marks.size <= maxIds) return
        marks.delete(oldest)
        if (mark.until > readAt) forgottenAt = Math.max(forgottenAt, mark.readAt)
      }
    },
    /** Whether what edge holds is, or may be, from before the write. */
    isOld: (id: string, { entry, readAt }: Observation): boolean => {
      const mark = marks.get(id)
      if (mark === undefined) return readAt <= forgottenAt
      if (readAt > mark.readAt) return false
      return mark.stamp === undefined || compareStamps(entry?.stamp ?? zeroStamp, mark.stamp) < 0
    }
  }
}
