import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { KeyAlias } from "../../services/aliasing/KeyAlias.ts"
import { dayMillis } from "../../services/base/model/UtcDay.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { ApplicationAdvice } from "../../services/monitoring/ApplicationAdvice.ts"
import { FigureBook, type FigureView } from "../../services/monitoring/FigureBook.ts"
import { reportOf } from "../../services/monitoring/model/DayReport.ts"
import { recommend } from "../../services/monitoring/model/Recommendation.ts"
import { DeclaredSettings } from "../../services/settings/DeclaredSettings.ts"
import { unchanged } from "../../services/settings/model/RuntimeState.ts"
import { RuntimeSettings } from "../../services/settings/RuntimeSettings.ts"
import { Settings } from "../../services/settings/Settings.ts"

/** Where no days are kept, in KV mode, what the isolate counted stands for the day. */
const daysOf = ({ days, total }: FigureView, now: number) =>
  days.length > 0 ? days : [{ at: Math.floor(now / dayMillis) * dayMillis, figures: total }]

/**
 * A report of each of the last days, the latest first: made of the figures that are kept of a day, its changes of
 * settings, and what its figures recommend under the settings in force. Nothing is written for it.
 *
 * @param most how many days
 */
export const reportDays = (most: number) =>
  Effect.gen(function* () {
    const settings = yield* Settings
    const { suggestions } = (yield* KeyAlias).stats()
    const shape = (yield* Ledger).report().total
    const { deployed } = yield* DeclaredSettings
    const applications = yield* Effect.flatten(ApplicationAdvice)
    const view = yield* (yield* FigureBook).view
    const { history, overrides } = yield* Effect.orElseSucceed((yield* RuntimeSettings).read, () => unchanged)
    const collectionsText = overrides.COLLECTIONS?.value ?? deployed.get("COLLECTIONS")
    const now = yield* Clock.currentTimeMillis
    const days = daysOf(view, now)
    const reports = days.map((day, index) => {
      const until = Math.min(now, day.at + dayMillis)
      const millis = until - Math.max(day.at, view.since)
      const basis = { figures: day.figures, millis, shape, settings, suggestions, collectionsText }
      const toDo = recommend(basis, applications)
      return reportOf(day, days[index - 1], { now, shape, history, toDo })
    })
    return reports.slice(-most).reverse()
  })
