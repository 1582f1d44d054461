import { type LedgerReport, type LedgerTotals, noCounts, usdOf, usdWithout } from "../../ledger/Ledger.ts"
import { pricesAsOf } from "../../ledger/model/Prices.ts"
import { type Figures, shaped, under } from "./Figures.ts"
import { totalsIn } from "./Performance.ts"

const namesIn = (figures: Figures, prefix: string): ReadonlyArray<string> => [
  ...new Set(Object.keys(under(figures, prefix)).map((name) => name.slice(0, name.indexOf("|"))))
]

/** What the ledgers of all isolates say together. @param shape the totals of one, for their form alone */
export const ledgerIn = (figures: Figures, since: number, shape: LedgerTotals): LedgerReport => {
  const total = totalsIn(figures, shape)
  const spent = usdOf(total)
  const withoutLarder = usdWithout(total)
  return {
    since,
    total,
    byNamespace: Object.fromEntries(
      namesIn(figures, "namespace|").map((name) => [
        name,
        shaped(figures, `namespace|${name}`, { kv: noCounts, kvCalls: noCounts })
      ])
    ),
    byCollection: Object.fromEntries(
      namesIn(figures, "collection|").map((name) => [
        name,
        shaped(figures, `collection|${name}`, { kv: noCounts, kvCalls: noCounts, logical: noCounts })
      ])
    ),
    usd: { spent, withoutLarder, saved: withoutLarder - spent, pricesAsOf }
  }
}
