import * as Effect from "effect/Effect"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { FigureBook, type FigurePoint } from "../../services/monitoring/FigureBook.ts"
import { collectionsIn, routesIn, summaryOf } from "../../services/monitoring/model/Performance.ts"

/** What all isolates did, in all and over time, with what each class of requests took. */
export const readPerformance = Effect.gen(function* () {
  const ledger = yield* Ledger
  const { view } = yield* FigureBook
  const { days, hours, isolates, minutes, scope, since, total } = yield* view
  const shape = ledger.report().total
  const points = (of: ReadonlyArray<FigurePoint>) => of.map(({ at, figures }) => ({ at, ...summaryOf(figures, shape) }))
  return {
    scope,
    since,
    isolates,
    total: summaryOf(total, shape),
    byRoute: routesIn(total),
    byCollection: collectionsIn(total, shape),
    minutes: points(minutes),
    hours: points(hours),
    days: points(days)
  }
})
