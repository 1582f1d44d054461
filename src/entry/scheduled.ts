import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as RetryPolicyCron from "../layers/RetryPolicyCron.ts"
import { flushBuffered } from "../programs/flushBuffered.ts"
import { followMode } from "../programs/followMode.ts"
import { prefetchCycle } from "../programs/prefetchCycle.ts"
import { publishDailyReport } from "../programs/publishDailyReport.ts"
import { sweepAlerts } from "../programs/sweepAlerts.ts"
import { sweepStatic } from "../programs/sweepStatic.ts"
import type { AlertRules } from "../services/AlertRules.ts"
import { Background, type BackgroundService } from "../services/Background.ts"
import type { DurableCache } from "../services/DurableCache.ts"
import type { Headlines } from "../services/Headlines.ts"
import type { Ledger } from "../services/Ledger.ts"
import type { MarketData } from "../services/MarketData.ts"
import type { Notifier } from "../services/Notifier.ts"
import type { ReadPath } from "../services/ReadPath.ts"
import type { Repository } from "../services/Repository.ts"
import { RetryPolicy } from "../services/RetryPolicy.ts"
import type { Sentiment } from "../services/Sentiment.ts"
import { Session } from "../services/Session.ts"
import type { Settings } from "../services/Settings.ts"
import type { StaticData } from "../services/StaticData.ts"
import type { Throttle } from "../services/Throttle.ts"

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

const follow = Effect.tap(followMode, (done) =>
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
      { name: "followMode", run: follow },
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
