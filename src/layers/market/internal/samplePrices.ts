import { hashOf } from "../../../services/base/model/Hash.ts"
import { uniformOf } from "../../../services/base/model/Random.ts"
import { dayMillis } from "../../../services/base/model/UtcDay.ts"
import type { TradingSession } from "../../../services/static-data/model/TradingCalendar.ts"
import { knotsPerUnit, normalOf, path } from "./brownian.ts"

/** What moves one symbol. Deviations are of the logarithm of the price, a day. */
export interface Profile {
  readonly seed: number
  readonly sector: number
  readonly beta: number
  readonly sectorDeviation: number
  readonly ownDeviation: number
  /** Dollars, on the first weekday of 2025. */
  readonly base: number
  /** Shares on an ordinary day. */
  readonly volume: number
}

/** The market's own deviation: 1 % a day, about 16 % a year. */
const marketDeviation = 0.01

const sectorDeviation = 0.006

/** A day: about 7 % a year. */
const drift = 0.00027

/** Part of a day's variance that falls between the close and the next open: the gap. */
const overnight = 0.25

const market = 1

/**
 * The number of a weekday (`YYYY-MM-DD`) from Monday, 1 January 1990: a unit of generated time each, holidays too. A
 * weekend belongs to its Friday.
 */
export const weekdayNumber = (date: string): number => {
  const days = (Date.parse(date) - Date.UTC(1990, 0, 1)) / dayMillis
  return 5 * Math.floor(days / 7) + Math.min(days % 7, 4)
}

const anchor = weekdayNumber("2025-01-01")

/** @param sector an id; undefined for what holds the whole market. `fund` for what only holds others. */
export const profileOf = (symbol: string, sector: string | undefined, fund: boolean): Profile => {
  const seed = hashOf(symbol)
  const drawn = (index: number): number => uniformOf(seed, -1, index)
  const base = Math.round(4000 * 12 ** drawn(0)) / 100
  return {
    seed,
    sector: sector === undefined ? 0 : hashOf(`sector:${sector}`),
    beta: fund ? 1 : 0.7 + 0.7 * drawn(1),
    sectorDeviation: sector === undefined ? 0 : sectorDeviation,
    ownDeviation: fund ? 0.0005 : 0.007 + 0.008 * drawn(2),
    base,
    volume: Math.round(((fund ? 8e9 : 4e9) * 8 ** drawn(3)) / base)
  }
}

/** Of a session's variance and volume, what falls into its first part: both are high at the open and at the close. */
const elapsed = (part: number): number => 0.6 * part + 0.2 * ((2 * part - 1) ** 3 + 1)

const cents = (price: number): number => Math.max(Math.round(price * 100), 1) / 100

/** Paths that several symbols share, so that each is made once for a question. */
export type Paths = Map<string, Float64Array>

const pathOf = (paths: Paths, seed: number, first: number, last: number, step: number): Float64Array => {
  const name = `${seed}/${first}/${last}/${step}`
  let found = paths.get(name)
  if (found === undefined) {
    found = path(seed, first, last, step)
    paths.set(name, found)
  }
  return found
}

/** Logarithms of the price against its base at every `step`-th knot. */
const logarithms = (paths: Paths, it: Profile, first: number, last: number, step: number): Float64Array => {
  const at = anchor * knotsPerUnit
  const parts = [
    [market, it.beta * marketDeviation],
    [it.sector, it.sectorDeviation],
    [it.seed, it.ownDeviation]
  ] as const
  const variance = parts.reduce((sum, [, deviation]) => sum + deviation ** 2, 0)
  const result = new Float64Array((last - first) / step + 1)
  for (let i = 0; i < result.length; i++) {
    result[i] = (drift - variance / 2) * ((first + i * step) / knotsPerUnit - anchor)
  }
  for (const [seed, deviation] of parts) {
    if (deviation === 0) continue
    const origin = pathOf(paths, seed, at, at, knotsPerUnit)[0]!
    const moves = pathOf(paths, seed, first, last, step)
    for (let i = 0; i < result.length; i++) result[i]! += deviation * (moves[i]! - origin)
  }
  return result
}

/** What one symbol has done in a session up to a moment; prices in dollars and cents. */
export interface Traded {
  readonly open: number
  readonly high: number
  readonly low: number
  readonly price: number
  readonly volume: number
}

export const tradedIn = (paths: Paths, it: Profile, session: TradingSession, weekday: number, at: number): Traded => {
  const part = Math.min(Math.max((at - session.open) / (session.close - session.open), 0), 1)
  const first = (weekday + overnight) * knotsPerUnit
  const here = first + (1 - overnight) * elapsed(part) * knotsPerUnit
  const whole = Math.floor(here)
  const last = Math.min(whole + 1, (weekday + 1) * knotsPerUnit)
  const logs = logarithms(paths, it, first, last, 1)
  const before = logs[whole - first]!
  const now = before + ((logs[whole - first + 1] ?? before) - before) * (here - whole)
  let high = Math.max(logs[0]!, now)
  let low = Math.min(logs[0]!, now)
  for (let i = 1; i <= whole - first; i++) {
    high = Math.max(high, logs[i]!)
    low = Math.min(low, logs[i]!)
  }
  const price = (logarithm: number): number => cents(it.base * Math.exp(logarithm))
  return {
    open: price(logs[0]!),
    high: price(high),
    low: price(low),
    price: price(now),
    volume: Math.round(volumeOf(it, weekday) * elapsed(part))
  }
}

const volumeOf = (it: Profile, weekday: number): number =>
  Math.round(it.volume * Math.exp(0.35 * normalOf(it.seed, -2, weekday)))

/** Close and volume of whole sessions, by their weekdays in ascending order. */
export const closesOf = (
  paths: Paths,
  it: Profile,
  weekdays: ReadonlyArray<number>
): ReadonlyArray<{ readonly close: number; readonly volume: number }> => {
  const first = weekdays[0]
  if (first === undefined) return []
  const end = (weekday: number): number => (weekday + 1) * knotsPerUnit
  const logs = logarithms(paths, it, end(first), end(weekdays.at(-1)!), knotsPerUnit)
  return weekdays.map((weekday) => ({
    close: cents(it.base * Math.exp(logs[weekday - first]!)),
    volume: volumeOf(it, weekday)
  }))
}
