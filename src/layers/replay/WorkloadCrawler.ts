import * as Random from "../../services/base/model/Random.ts"
import { epoch } from "../../services/replay/model/Trace.ts"
import type { Workload, WorkloadEntry, WorkloadRequest } from "../../services/replay/Workload.ts"
import type { Collection } from "../../services/store/model/Collection.ts"

const dayMillis = 86_400_000
const pages = 500
const readerRequests = 100_000
const crawledOnce = 10_000

/** Bytes of a page. */
const pageBytes = 8_000

/**
 * A day of a site whose pages are loaded when they are missing: 100,000 requests over 500 pages, as popular as Zipf's law
 * has it (exponent 1), and a crawler that asks once for each of 10,000 others. Nothing is stored when it begins.
 */
export const make = (seed: number, collection: Collection, cacheAside: number): Workload["Type"] => {
  const draw = Random.make(seed)
  const sums: Array<number> = []
  for (let rank = 1; rank <= pages; rank++) sums.push((sums.at(-1) ?? 0) + 1 / rank)
  const popular = (): number => {
    const drawn = draw() * sums.at(-1)!
    let [low, high] = [0, pages - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
  const entryOf = (key: string): WorkloadEntry => ({ collection, key, size: pageBytes, initial: false })
  const requestAt = (entry: number): WorkloadRequest => ({
    kind: "read",
    at: epoch + Math.floor(draw() * dayMillis),
    entry,
    size: pageBytes,
    session: undefined
  })
  const requests = [
    ...Array.from({ length: readerRequests }, () => requestAt(popular())),
    ...Array.from({ length: crawledOnce }, (_, page) => requestAt(pages + page))
  ].sort((a, b) => a.at - b.at)
  return {
    name: "crawler",
    length: requests.length,
    request: (index) => requests[index]!,
    entries: [
      ...Array.from({ length: pages }, (_, page) => entryOf(`/pages/${page}`)),
      ...Array.from({ length: crawledOnce }, (_, page) => entryOf(`/archive/${page}`))
    ],
    cacheAside
  }
}
