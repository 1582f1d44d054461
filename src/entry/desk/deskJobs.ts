import * as Effect from "effect/Effect"
import * as Alerts from "../../programs/alerts/sweepAlerts.ts"
import * as Report from "../../programs/market/publishDailyReport.ts"
import { MarketSettings } from "../../services/market/MarketSettings.ts"

export { sweepStatic } from "../../programs/static-data/sweepStatic.ts"

/** A cron's work on prices, where there is a source of them. */
const priced = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A | undefined, E, R | MarketSettings> =>
  Effect.flatMap(
    MarketSettings,
    ({ marketSource }): Effect.Effect<A | undefined, E, R> =>
      marketSource === "off" ? Effect.succeed(undefined) : work
  )

export const sweepAlerts = priced(Alerts.sweepAlerts)
export const publishDailyReport = priced(Report.publishDailyReport)
