import { epoch } from "../../../services/replay/model/Trace.ts"
import type { WorkloadEntry, WorkloadRequest } from "../../../services/replay/Workload.ts"
import type { TradingDayEntries } from "../WorkloadTradingDay.ts"

const minute = 60_000

/** Minutes after midnight UTC. New York trades from 14:30 to 21:00 in winter. */
const pricesAt = [15 * 60, 16 * 60, 17 * 60, 18 * 60, 19 * 60, 20 * 60].map((at) => at + 2)
const sentimentAt = [13 * 60 + 12, 17 * 60 + 12, 20 * 60 + 42]
const signalsAt = [15 * 60 + 7, 16 * 60 + 7, 17 * 60 + 7, 18 * 60 + 7, 19 * 60 + 7, 20 * 60 + 7]
const trackingAt = 21 * 60 + 22
const reportsAt = [13 * 60 + 32, 17 * 60 + 32, 21 * 60 + 32]

/** Signals that one cron finds. */
const signalsEach = 10

/**
 * What the desk's crons write: six times all prices, three times all sentiment, six times ten signals, once the
 * tracking of all signals, three reports; 663 entries in all.
 */
export const makeWrites = (
  draw: () => number,
  where: TradingDayEntries,
  symbols: number,
  entries: ReadonlyArray<WorkloadEntry>
): ReadonlyArray<WorkloadRequest> => {
  const at = (minutes: number): number => epoch + minutes * minute
  const every = (entryOf: (symbol: number) => number) => Array.from({ length: symbols }, (_, symbol) => entryOf(symbol))
  const some = (count: number): ReadonlyArray<number> => {
    const left = every((symbol) => symbol)
    return Array.from({ length: Math.min(count, symbols) }, () => left.splice(Math.floor(draw() * left.length), 1)[0]!)
  }
  const together = (minutes: number, numbers: ReadonlyArray<number>): WorkloadRequest => ({
    kind: "writeMany",
    at: at(minutes),
    entries: numbers
  })
  const alone = (minutes: number, entry: number): WorkloadRequest => ({
    kind: "write",
    at: at(minutes),
    entry,
    size: entries[entry]!.size,
    session: undefined
  })
  return [
    ...pricesAt.map((minutes) => together(minutes, every(where.price))),
    ...sentimentAt.map((minutes) => together(minutes, every(where.sentiment))),
    ...signalsAt.map((minutes) => together(minutes, some(signalsEach).map(where.signal))),
    together(trackingAt, every(where.tracking)),
    ...reportsAt.map((minutes, number) => alone(minutes, where.report(number)))
  ]
}
