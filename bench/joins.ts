import * as WorkloadTradingDay from "../src/layers/replay/WorkloadTradingDay.ts"
import * as StaticDataBundled from "../src/layers/static-data/StaticDataBundled.ts"
import * as Placement from "../src/services/replay/model/Placement.ts"
import * as TradingDay from "../src/services/replay/model/TradingDay.ts"
import { defaultStaticBytes } from "../src/services/static-data/StaticSettings.ts"

/**
 * How many requests of the trading day come to an isolate within so many milliseconds of another, and so could be asked
 * of an object together at best. `npm run bench -- joins [seed]`
 */

const seed = Number(process.argv[2] ?? 1)
const data = StaticDataBundled.make(defaultStaticBytes, () => 0)
const symbols = data.symbols.filter(({ kind }) => kind === "stock").map(({ symbol }) => symbol)
const sectors = data.sectors.map(({ etf }) => etf)
const day = WorkloadTradingDay.make(seed, TradingDay.collections(), { symbols, sectors })

const table: Record<string, Record<string, number | string>> = {}
for (const isolates of [6, 1]) {
  const placement = Placement.make({ isolates, locations: Math.min(3, isolates), meanLife: 900_000, seed })
  const gaps: Array<number> = []
  const last = new Map<number, number>()
  for (let index = 0; index < day.length; index++) {
    const request = day.request(index)
    const { cold, slot } = placement.place(request)
    if (cold) continue
    gaps.push(request.at - (last.get(slot) ?? Number.NEGATIVE_INFINITY))
    last.set(slot, request.at)
  }
  for (const millis of [5, 20, 100]) {
    const near = gaps.filter((gap) => gap <= millis).length
    table[`${isolates} isolates, ${millis} ms`] = { requests: gaps.length, "soon after another": near }
  }
}
console.table(table)
