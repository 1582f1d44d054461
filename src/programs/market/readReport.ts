import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { type DailyReport, dailyReports } from "../../services/market/model/DailyReport.ts"
import { Repository } from "../../services/repository/Repository.ts"
import type { StoreError } from "../../services/store/Store.ts"

/** The report of a day (`YYYY-MM-DD`), where one was published. */
export const readReport = (date: string): Effect.Effect<Option.Option<DailyReport>, StoreError, Repository> =>
  Effect.flatMap(Repository, (repository) => repository.get(dailyReports, date))
