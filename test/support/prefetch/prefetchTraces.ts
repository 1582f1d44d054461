import * as Random from "../../../src/services/base/model/Random.ts"

export interface TracedRead {
  readonly session: string
  readonly id: string
  readonly now: number
}

/**
 * Sessions that each look at some pages, a page being followed by its own three parts; sessions overlap in time. `noise`:
 * the share of requests that are any id at all.
 */
export const pageVisits = (sessions: number, noise: number, seed = 1): ReadonlyArray<TracedRead> => {
  const random = Random.make(seed)
  const reads: Array<TracedRead> = []
  for (let session = 0; session < sessions; session++) {
    let now = Math.floor(session / 4) * 120_000
    for (let visit = 0; visit < 4; visit++) {
      const page = Math.floor(random() ** 2 * 60)
      for (const id of [`pages/${page}`, `parts/${page}-a`, `parts/${page}-b`, `parts/${page}-c`]) {
        now += 100 + Math.floor(random() * 1000)
        reads.push({
          session: `visitor-${session}`,
          id: random() < noise ? `noise/${Math.floor(random() * 500)}` : id,
          now
        })
      }
    }
  }
  return reads.sort((a, b) => a.now - b.now)
}

/** The same sessions at the same moments, every id somewhere else. */
export const shuffled = (reads: ReadonlyArray<TracedRead>, seed = 1): ReadonlyArray<TracedRead> => {
  const random = Random.make(seed)
  const ids = reads.map(({ id }) => id)
  for (let i = ids.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const id = ids[i]!
    ids[i] = ids[j]!
    ids[j] = id
  }
  return reads.map((read, index) => ({ ...read, id: ids[index]! }))
}
