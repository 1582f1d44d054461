import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { KeyAlias } from "../../services/aliasing/KeyAlias.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { ApplicationAdvice } from "../../services/monitoring/ApplicationAdvice.ts"
import { FigureBook, type FigurePoint } from "../../services/monitoring/FigureBook.ts"
import { noFigures, plus } from "../../services/monitoring/model/Figures.ts"
import { measured, recommend } from "../../services/monitoring/model/Recommendation.ts"
import { DeclaredSettings } from "../../services/settings/DeclaredSettings.ts"
import { unchanged } from "../../services/settings/model/RuntimeState.ts"
import { RuntimeSettings } from "../../services/settings/RuntimeSettings.ts"
import { Settings } from "../../services/settings/Settings.ts"

const minute = 60_000

/** How a change that follows a recommendation says so in its reason. */
const applied = /^recommendation ([\w-]+), expected \$(-?[\d.]+) a month/

const spanOf = (points: ReadonlyArray<FigurePoint>) => ({
  figures: points.reduce((sum, { figures }) => plus(sum, figures), noFigures),
  millis: points.length * minute
})

/** What the last two hours recommend, and what came of recommendations that were followed within them. */
export const recommendSettings = Effect.gen(function* () {
  const settings = yield* Settings
  const alias = yield* KeyAlias
  const ledger = yield* Ledger
  const runtime = yield* RuntimeSettings
  const { deployed } = yield* DeclaredSettings
  const applications = yield* Effect.flatten(ApplicationAdvice)
  const { view } = yield* FigureBook
  const { minutes, since, total } = yield* view
  const now = yield* Clock.currentTimeMillis
  const shape = ledger.report().total
  const span = spanOf(minutes)
  const basis = minutes.length === 0 ? { figures: total, millis: now - since } : span
  const { history, overrides } = yield* Effect.orElseSucceed(runtime.read, () => unchanged)
  return {
    recommendations: recommend(
      {
        ...basis,
        shape,
        settings,
        suggestions: alias.stats().suggestions,
        collectionsText: overrides.COLLECTIONS?.value ?? deployed.get("COLLECTIONS")
      },
      applications
    ),
    applied: history.flatMap(({ at, name, reason = "" }) => {
      const [, id, expected] = applied.exec(reason) ?? []
      if (id === undefined) return []
      const before = minutes.filter((point) => point.at + minute <= at)
      const after = minutes.filter((point) => point.at >= at)
      const came = measured(spanOf(before), spanOf(after), shape)
      return [
        {
          id,
          setting: name,
          at,
          expectedUsdPerMonth: Number(expected),
          measuredUsdPerMonth: came === undefined ? null : came.usdPerMonth
        }
      ]
    })
  }
})
