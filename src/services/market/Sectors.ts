import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type { SectorPanel } from "./model/SectorPanel.ts"

/** A day that no snapshot can be of. The values are for the message; `last` is the last day that one can be of. */
export class SectorsError extends Data.TaggedError("SectorsError")<{
  readonly operation: "snapshot"
  readonly reason: "BadDate" | "DateAhead" | "BeyondCalendar" | "NoHistory"
  readonly date: string
  readonly last?: string
}> {}

/** Windows of a return, in trading days. */
export const windows = { "1d": 1, "1w": 5, "1m": 21, "3m": 63, "6m": 126, "1y": 252 } as const

export type Window = keyof typeof windows

/** Trading days that each measure looks back, and what belongs to it. */
export const lookback = {
  /** Volatility, correlation and relative strength: a quarter. */
  quarter: 63,
  /** Moving average that breadth compares with. */
  breadth: 50,
  /** Momentum: from so many days ago ... */
  momentumFrom: 252,
  /** ... to so many. */
  momentumTo: 21,
  /** How far back rotation compares strength with itself. */
  rotation: 10
} as const

/** Closes that all measures together need: the longest window, and the day it counts from. */
export const panelDays = 253

/** Sessions of a year, which volatility is scaled to. */
export const tradingDaysOfYear = 252

/** Symbols that drivers name. */
export const driverSymbols = 10

/** Variances below are rounding: nothing moved. */
export const leastVariance = 1e-24

/** A close counts as above its average if it is by more than this fraction; below that is rounding. */
export const leastRise = 1e-12

export type Quadrant = "leading" | "weakening" | "lagging" | "improving"

/**
 * The figures of one sector on one day. `NaN` wherever there was not enough to compute one: for a return, no member
 * with both of its closes; for what looks at a series of days, less than half of them.
 */
export interface SectorFigures {
  readonly id: string
  /** Share of the weight of all symbols, from 0 to 1. */
  readonly weight: number
  /**
   * Mean of the members' simple returns `close / earlier close - 1`, by weight. Members without one of the two closes
   * are left out, and the weights of the others scaled up.
   */
  readonly returns: { readonly [W in Window]: number }
  /** Standard deviation (n - 1) of the sector's daily returns over a quarter, times the root of 252: a year's. */
  readonly volatility: number
  /** Share of the members whose close is above their mean close of the last 50 days, from 0 to 1. */
  readonly breadth: number
  /** Return from 252 days ago to 21 days ago, the last month left out (Jegadeesh and Titman, J. Finance 48, 1993). */
  readonly momentum: number
  /** `(1 + return) / (1 + return of the market) - 1` over a quarter: above 0 it did better (after Levy, 1967). */
  readonly relativeStrength: number
  readonly rotation: Rotation
}

/**
 * Where a sector stands in the rotation, after the Relative Rotation Graphs of J. de Kempenaer; his scaling is not
 * published, this one is ours. `q` is the sector's compounded index over the market's; a day without a return leaves an
 * index where it is.
 */
export interface Rotation {
  /** `q` over its mean of the last 63 days: above 1 the sector gains on the market. */
  readonly strength: number
  /** `strength` over itself 10 days before. */
  readonly momentum: number
  /** By whether each is at least 1; undefined where there is none. */
  readonly quadrant: Quadrant | undefined
}

/** What made the day's move. Missing returns contribute nothing. */
export interface Drivers {
  /** The day's return of all symbols, by weight: the sum of the contributions. */
  readonly move: number
  /** The day's return of the market itself. */
  readonly market: number
  /** All sectors, the largest contribution of either sign first. */
  readonly sectors: ReadonlyArray<{ readonly id: string; readonly contribution: number }>
  /** The symbols that moved most of it: their return, and that times their share of the weight. */
  readonly symbols: ReadonlyArray<{
    readonly symbol: string
    readonly sector: string
    readonly change: number
    readonly contribution: number
  }>
}

export interface SectorSnapshot {
  /** The panel's last day. */
  readonly asOf: string
  readonly sectors: ReadonlyArray<SectorFigures>
  /**
   * Pearson's correlation of the sectors' daily returns over a quarter, of `i` with `j` at `i * sectors.length + j`: over
   * the days that both have, if that is half of them, and both moved.
   */
  readonly correlation: Float64Array
  readonly drivers: Drivers
}

/** Arithmetic over the sectors of a market. Pure and synchronous. */
export class Sectors extends Context.Tag("larder/Sectors")<
  Sectors,
  {
    readonly snapshot: (panel: SectorPanel) => SectorSnapshot
  }
>() {}

/** The quadrant that strength and its momentum are in. */
export const quadrantOf = (strength: number, momentum: number): Quadrant | undefined => {
  if (Number.isNaN(strength) || Number.isNaN(momentum)) return undefined
  if (strength >= 1) return momentum >= 1 ? "leading" : "weakening"
  return momentum >= 1 ? "improving" : "lagging"
}
