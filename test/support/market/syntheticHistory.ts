import * as Random from "../../../src/services/base/model/Random.ts"
import type { DailyCloses } from "../../../src/services/market/MarketHistory.ts"
import { shiftDate } from "../../../src/services/static-data/model/ZonedTime.ts"

export interface HistoryOptions {
  readonly seed: number
  readonly days: number
  readonly symbols: number
  readonly sectors: number
  /** Share of the closes that are missing, as `NaN`, 0, or a number below 0. */
  readonly missing: number
  /** Share of the symbols that never move. */
  readonly still: number
}

/** Random walks of a market, its sectors and their members; the last symbol, `MARKET`, is the market. */
export const syntheticHistory = (options: HistoryOptions): DailyCloses => {
  const { days, missing, seed, still, symbols } = options
  const random = Random.make(seed)
  const names = [...Array.from({ length: symbols }, (_, s) => `S${s}`), "MARKET"]
  const closes = new Float64Array(days * names.length)
  const stands = names.map(() => random() < still)
  const last = names.map(() => 10 + random() * 400)
  for (let day = 0; day < days; day++) {
    const market = random() - 0.5
    const bySector = Array.from({ length: options.sectors }, () => random() - 0.5)
    for (const s of names.keys()) {
      const own = s === symbols ? 0 : (bySector[s % options.sectors] ?? 0) + random() - 0.5
      if (!stands[s]) last[s]! *= 1 + 0.02 * market + 0.02 * own
      closes[day * names.length + s] =
        random() < missing ? ([Number.NaN, 0, -1] as const)[Math.floor(random() * 3)]! : last[s]!
    }
  }
  return {
    days: Array.from({ length: days }, (_, day) => shiftDate("2026-11-20", day - days + 1)),
    symbols: names,
    closes,
    weights: Float64Array.from(names, () => (random() < missing ? Number.NaN : 1 + random() * 3000))
  }
}

export const sectorNames = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, k) => `sector-${k}`)

/** Symbols in turn, the market in none. */
export const sectorOf =
  (sectors: number) =>
  (symbol: string): number | undefined =>
    symbol === "MARKET" ? undefined : Number(symbol.slice(1)) % sectors
