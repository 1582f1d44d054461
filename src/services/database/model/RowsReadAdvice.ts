import { prices } from "../../ledger/model/Prices.ts"
import { totalsIn } from "../../monitoring/model/Performance.ts"
import type { Advise } from "../../monitoring/model/Recommendation.ts"

const dayMillis = 86_400_000

const [, , freeDay] = prices.d1RowsRead

const count = (value: number): string => Math.round(value).toLocaleString("en-US")

/** An index may be missing where queries read more rows of D1 than the Free plan allows a day. */
export const adviseOnRowsRead: Advise = ({ figures, millis, shape }) => {
  const { d1RowsRead = 0 } = totalsIn(figures, shape).other
  const perDay = (d1RowsRead * dayMillis) / millis
  if (perDay <= freeDay) return []
  return [
    {
      id: "database-index",
      title: "Ask which index would help: queries read many rows of D1",
      figure: `${count(d1RowsRead)} rows in ${count(millis / 60_000)} minutes, ${count(perDay)} a day at this rate; the Free plan allows ${count(freeDay)}`,
      instead: "GET /api/v1/database/advice tries indexes on a copy; docs/database.md says how to add one.",
      saves: { operationsPerMonth: 0, usdPerMonth: 0 },
      risk: "An index is one row more for each write of its columns."
    }
  ]
}
