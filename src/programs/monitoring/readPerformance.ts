import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Ledger, usageOf } from "../../services/ledger/Ledger.ts"
import { billOf } from "../../services/ledger/model/Bill.ts"
import { FigureBook, type FigurePoint } from "../../services/monitoring/FigureBook.ts"
import {
  collectionsIn,
  cronsIn,
  problemsIn,
  routesIn,
  summaryOf,
  totalsIn
} from "../../services/monitoring/model/Performance.ts"

/** What all isolates did, in all and over time, with what each class of requests took. */
export const readPerformance = Effect.gen(function* () {
  const ledger = yield* Ledger
  const { view } = yield* FigureBook
  const { days, hours, isolates, minutes, scope, since, total } = yield* view
  const shape = ledger.report().total
  const now = yield* Clock.currentTimeMillis
  const usd = billOf(usageOf(totalsIn(total, shape)), {
    atRest: {},
    millis: Math.max(60_000, now - since),
    requests: 0,
    plan: "paid"
  })
  const points = (of: ReadonlyArray<FigurePoint>) => of.map(({ at, figures }) => ({ at, ...summaryOf(figures, shape) }))
  return {
    scope,
    since,
    isolates,
    total: summaryOf(total, shape),
    byRoute: routesIn(total),
    problems: problemsIn(total),
    crons: cronsIn(total, [...hours, ...minutes]),
    bill: { month: usd.month, freePlanFirstLimit: usd.freePlanFirstLimit },
    byCollection: collectionsIn(total, shape),
    minutes: points(minutes),
    hours: points(hours),
    days: points(days)
  }
})
