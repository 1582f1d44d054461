import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as RetryPolicyCron from "../layers/kv/RetryPolicyCron.ts"
import { sweepAlerts } from "../programs/alerts/sweepAlerts.ts"
import { flushBuffered } from "../programs/batching/flushBuffered.ts"
import { publishDailyReport } from "../programs/market/publishDailyReport.ts"
import { migrateOnFlagChange } from "../programs/migration/migrateOnFlagChange.ts"
import { prefetchCycle } from "../programs/prefetch/prefetchCycle.ts"
import { sweepStatic } from "../programs/static-data/sweepStatic.ts"
import type { AlertRules } from "../services/alerts/AlertRules.ts"
import type { Notifier } from "../services/alerts/Notifier.ts"
import { Background, type BackgroundService } from "../services/base/Background.ts"
import { Session } from "../services/base/Session.ts"
import type { DurableCache } from "../services/durable/DurableCache.ts"
import { RetryPolicy } from "../services/kv/RetryPolicy.ts"
import type { Ledger } from "../services/ledger/Ledger.ts"
import type { Headlines } from "../services/market/Headlines.ts"
import type { MarketData } from "../services/market/MarketData.ts"
import type { Sentiment } from "../services/market/Sentiment.ts"
import type { Throttle } from "../services/market/Throttle.ts"
import type { Repository } from "../services/repository/Repository.ts"
import type { Settings } from "../services/settings/Settings.ts"
import type { StaticData } from "../services/static-data/StaticData.ts"
import type { ReadPath } from "../services/tiers/ReadPath.ts"

type Requirements =
  | Settings
  | Ledger
  | StaticData
  | AlertRules
  | Repository
  | MarketData
  | Throttle
  | Notifier
  | Headlines
  | Sentiment
  | DurableCache
  | ReadPath

const follow = Effect.tap(migrateOnFlagChange, (done) =>
  done === undefined ? Effect.void : Effect.logInfo("the store of the mode in force was brought up to date", done)
)

/** What every cron of wrangler.toml does, in order; one that fails holds up none behind it. */
const jobs: ReadonlyMap<
  string,
  ReadonlyArray<{ readonly name: string; readonly run: Effect.Effect<unknown, unknown, Requirements> }>
> = new Map([
  [
    "*/5 * * * *",
    [
      { name: "migrateOnFlagChange", run: follow },
      { name: "sweepAlerts", run: sweepAlerts },
      { name: "sweepStatic", run: sweepStatic },
      { name: "flushBuffered", run: flushBuffered }
    ]
  ],
  ["*/15 * * * *", [{ name: "prefetchCycle", run: prefetchCycle }]],
  ["15 17-23 * * MON-FRI", [{ name: "publishDailyReport", run: publishDailyReport }]]
])

/** Runs what belongs to a cron. Its failures are logged: Cloudflare does not run a cron again before its next time. */
export const make: Effect.Effect<(cron: string, background: BackgroundService) => Promise<void>, never, Requirements> =
  Effect.map(Effect.runtime<Requirements>(), (runtime) => (cron, background) => {
    const due = jobs.get(cron)
    const work =
      due === undefined
        ? Effect.logWarning(`the cron "${cron}" of wrangler.toml is unknown here: nothing is done`)
        : Effect.forEach(
            due,
            ({ name, run }) =>
              Effect.catchAllCause(run, (cause) => Effect.logError(`${name} failed; its next cron tries again`, cause)),
            { discard: true }
          )
    return Runtime.runPromise(runtime)(
      work.pipe(
        Effect.provideService(Background, background),
        Effect.provideService(Session, null),
        Effect.provideService(RetryPolicy, RetryPolicyCron.make)
      )
    )
  })
