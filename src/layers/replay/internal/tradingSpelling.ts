import { synonyms } from "../../../services/replay/model/TradingDay.ts"
import type { WorkloadEntry } from "../../../services/replay/Workload.ts"

const synonymOf = new Map(Object.entries(synonyms).map(([name, symbol]) => [symbol, name]))

/**
 * Another spelling of an entry's key, that means the same to the caller: in lower case or capitals, by a name, its
 * parameters in another order or with their defaults, `today` for the day's date.
 *
 * @param date of the day, as ISO 8601 has it
 */
export const makeSpelling =
  (draw: () => number, date: string) =>
  ({ collection, key }: WorkloadEntry): string => {
    if (key.startsWith(date)) return `today${key.slice(date.length)}`
    const [symbol = "", parameters] = key.split("?")
    const name = synonymOf.get(symbol)
    const style = draw()
    const spelled =
      style < 0.5
        ? symbol.toLowerCase()
        : style < 0.8 && name !== undefined
          ? name
          : `${symbol.slice(0, 1)}${symbol.slice(1).toLowerCase()}`
    if (collection.name !== "analyses") return spelled
    if (parameters !== undefined) return `${spelled}?${parameters}&interval=1d`
    return draw() < 0.5 ? `${spelled}?range=1mo&interval=1d` : `${spelled}?interval=1d`
  }
