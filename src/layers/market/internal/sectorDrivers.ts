import type { SectorPanel } from "../../../services/market/model/SectorPanel.ts"
import { type Drivers, driverSymbols } from "../../../services/market/Sectors.ts"
import { changes } from "./sectorColumns.ts"

/** What made the move of a panel's last day. */
export const driversOf = (panel: SectorPanel): Drivers => {
  const width = panel.symbols.length
  const last = panel.days.length - 1
  const moves = new Float64Array(width)
  const contributions = new Float64Array(width)
  let weighed = 0
  for (let s = 0; s < width; s++) {
    moves[s] = panel.closes[last * width + s]! / panel.closes[(last - 1) * width + s]! - 1
    if (moves[s]! < Number.POSITIVE_INFINITY) weighed += panel.weights[s]!
  }
  const sectors = new Float64Array(panel.sectors.length)
  let move = weighed > 0 ? 0 : Number.NaN
  const present: Array<number> = []
  for (let s = 0; s < width; s++) {
    if (!(moves[s]! < Number.POSITIVE_INFINITY && panel.weights[s]! > 0)) continue
    const contribution = (panel.weights[s]! * moves[s]!) / weighed
    contributions[s] = contribution
    sectors[panel.sectorOf[s]!]! += contribution
    move += contribution
    present.push(s)
  }
  const bySize = (of: Float64Array) => (a: number, b: number) => Math.abs(of[b]!) - Math.abs(of[a]!)
  const [market] = changes(panel.market, 1)
  return {
    move,
    market: market!,
    sectors: panel.sectors
      .map((_, sector) => sector)
      .sort(bySize(sectors))
      .map((sector) => ({ id: panel.sectors[sector]!, contribution: sectors[sector]! })),
    symbols: present
      .sort(bySize(contributions))
      .slice(0, driverSymbols)
      .map((s) => ({
        symbol: panel.symbols[s]!,
        sector: panel.sectors[panel.sectorOf[s]!]!,
        change: moves[s]!,
        contribution: contributions[s]!
      }))
  }
}
