import { epoch } from "../../../services/replay/model/Trace.ts"
import type { WorkloadEntry, WorkloadRequest } from "../../../services/replay/Workload.ts"
import type { TradingDayEntries } from "../WorkloadTradingDay.ts"
import { makeSpelling } from "./tradingSpelling.ts"

const minute = 60_000
const hour = 60 * minute

const sessions = 2000

/** Requests of a session, and seconds between two of them, on average. */
const meanRequests = 10
const meanPause = 20_000

/** Sessions that begin from an hour before the exchange opens until half an hour after it closes. */
const shareInHours = 0.7
const hoursFrom = 13.5 * hour
const hoursUntil = 21.5 * hour

/** Requests for static tables; of the others, those in another spelling: 30 % of all. */
const staticShare = 0.15
const variantShare = 0.3 / (1 - staticShare)

/** Symbols of a watch list. */
const watched = 6

export interface TradingDayExtent {
  readonly symbols: number
  readonly sectors: number
  /** Of the day, as the keys of its reports have it. */
  readonly date: string
}

/**
 * What clients ask for. A session looks at a watch list, a sector or a report, then goes through one symbol after the
 * other: its price, mostly its analysis next, often sentiment and signal. The popularity of symbols is Zipf's (exponent
 * 1), as it is of pages (Breslau et al., Web Caching and Zipf-like Distributions, INFOCOM 1999).
 */
export const makeSessions = (
  draw: () => number,
  where: TradingDayEntries,
  entries: ReadonlyArray<WorkloadEntry>,
  extent: TradingDayExtent
): ReadonlyArray<WorkloadRequest> => {
  const spelling = makeSpelling(draw, extent.date)
  const popularity = cumulated(Array.from({ length: extent.symbols }, (_, rank) => 1 / (rank + 1)))
  const below = (count: number): number => Math.floor(draw() * count)
  const exponential = (mean: number): number => -Math.log(1 - draw()) * mean

  const symbol = (): number => {
    const share = draw()
    return Math.max(
      0,
      popularity.findIndex((upTo) => share < upTo)
    )
  }

  const askedAs = (entry: number): string => (draw() < variantShare ? spelling(entries[entry]!) : entries[entry]!.key)

  const reading = (at: number, session: number, entry: number): WorkloadRequest => {
    const asked = askedAs(entry)
    return { kind: "read", at, entry, size: 0, session, ...(asked === entries[entry]!.key ? {} : { asked }) }
  }

  const watching = (at: number, session: number): WorkloadRequest => {
    const list = new Set(Array.from({ length: watched }, symbol))
    const read = [...list].map(where.price)
    return { kind: "readMany", at, entries: read, asked: read.map(askedAs), session }
  }

  /** The pages that a look at a symbol goes through. */
  const lookAt = (number: number): ReadonlyArray<number> => [
    where.price(number),
    ...(draw() < 0.7 ? [where.analysis(number, draw() < 0.75 ? 0 : 1)] : []),
    ...(draw() < 0.6 ? [where.sentiment(number)] : []),
    ...(draw() < 0.4 ? [where.signal(number)] : []),
    ...(draw() < 0.1 ? [where.tracking(number)] : [])
  ]

  const next = (at: number, session: number, pages: Array<number>): WorkloadRequest => {
    if (draw() < staticShare) return { kind: "read", at, entry: where.staticRow(symbol()), size: 0, session }
    const page = pages.shift()
    if (page !== undefined) return reading(at, session, page)
    const start = draw()
    if (start < 0.15) return watching(at, session)
    if (start < 0.3) return reading(at, session, where.sector(below(extent.sectors)))
    if (start < 0.34) return reading(at, session, where.report(below(3)))
    const [first, ...rest] = lookAt(symbol())
    pages.push(...rest)
    return reading(at, session, first!)
  }

  const session = (number: number): ReadonlyArray<WorkloadRequest> => {
    const length = 1 + Math.floor(exponential(meanRequests - 0.5))
    const begin = draw() < shareInHours ? hoursFrom + draw() * (hoursUntil - hoursFrom) : draw() * (24 * hour - 1)
    const requests: Array<WorkloadRequest> = []
    let at = epoch + begin
    const pages: Array<number> = []
    while (requests.length < length && at < epoch + 24 * hour) {
      requests.push(next(at, number, pages))
      at += exponential(meanPause)
    }
    return requests
  }

  return Array.from({ length: sessions }, (_, number) => session(number)).flat()
}

const cumulated = (weights: ReadonlyArray<number>): ReadonlyArray<number> => {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let sum = 0
  return weights.map((weight) => {
    sum += weight / total
    return sum
  })
}
