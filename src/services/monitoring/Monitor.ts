import * as Context from "effect/Context"
import type { Carried, CarriedReply } from "./model/Carried.ts"
import { type Figures, noFigures } from "./model/Figures.ts"

/** All `now` are milliseconds since the epoch. Synchronous: counting must never fail or wait. */
export interface MonitorService {
  /** A hit of the hot route: one counter, nothing allocated. */
  readonly hit: (url: string) => void
  /**
   * Any other request.
   *
   * @param millis from its arrival to its answer, as far as the clock moved
   * @param problem the last segment of the problem's type, where it was refused or failed
   */
  readonly ended: (request: Request, response: Response, millis: number, problem?: string) => void
  /** Counts one by its name, see {@link Figures}. */
  readonly count: (name: string, by?: number) => void
  /** Another source of counters that only grow; its end, after which it counts no more. */
  readonly watch: (source: () => Figures) => () => void
  /** All that this isolate has counted since it began. */
  readonly figures: (now: number) => Figures
  /**
   * What to tell the first object; undefined where it is too soon, or there is no news. `along` with a call that is made
   * anyway; `alone` with one of its own, which takes longer to be due; `asked`: now.
   */
  readonly next: (now: number, how: "along" | "alone" | "asked") => Carried | undefined
  readonly settled: (reply: CarriedReply) => void
}

const nothing = () => undefined

export const off: MonitorService = {
  hit: nothing,
  ended: nothing,
  count: nothing,
  watch: () => nothing,
  figures: () => noFigures,
  next: nothing,
  settled: nothing
}

/**
 * What an isolate counts beside the ledger, and how it tells all isolates' figures apart from its own. A reference:
 * nothing is counted unless a layer says so.
 */
export class Monitor extends Context.Reference<Monitor>()("larder/Monitor", {
  defaultValue: (): MonitorService => off
}) {}
