import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { exportMetrics } from "../../programs/monitoring/exportMetrics.ts"
import { readPerformance } from "../../programs/monitoring/readPerformance.ts"
import { recommendSettings } from "../../programs/monitoring/recommendSettings.ts"
import { reportDays } from "../../programs/monitoring/reportDays.ts"
import { readAlerts } from "../../programs/monitoring/watchThresholds.ts"
import type { Ledger } from "../../services/ledger/Ledger.ts"
import type { FigureBook } from "../../services/monitoring/FigureBook.ts"
import { standing } from "../../services/monitoring/model/Threshold.ts"
import { Settings } from "../../services/settings/Settings.ts"
import { larder } from "../http/apiLarder.ts"
import { Caller } from "../http/authorize.ts"
import { eventStream } from "../http/eventStream.ts"
import * as Handlers from "../http/handlers.ts"
import { isoTime } from "../http/isoTime.ts"
import { brokenKeyRule } from "../http/parameters.ts"
import { problem } from "../http/problem.ts"
import { closedTo } from "../store/applicationData.ts"
import { noSuchCollection } from "../store/entries.ts"
import { monitor } from "./apiMonitor.ts"
import { known } from "./bookFigures.ts"
import { explainKey } from "./explainKey.ts"
import { performanceStream } from "./performanceStream.ts"
import { Watching } from "./watch.ts"

export const layer = Handlers.group(larder.add(monitor), "monitor", (handlers) =>
  Effect.gen(function* () {
    const { collections } = yield* Settings
    const watch = yield* Watching
    const services = yield* Effect.context<FigureBook | Ledger>()
    return handlers
      .handle("stream", ({ request }) => {
        const read = Effect.map(
          Effect.provide(readPerformance, services),
          ({ days: _, hours: __, minutes, ...rest }) => ({
            ...rest,
            since: isoTime(rest.since),
            minutes: minutes.slice(-2)
          })
        )
        return eventStream(request, performanceStream(read))
      })
      .handle("recommendations", () =>
        Effect.map(known(recommendSettings), ({ applied, recommendations }) => ({
          recommendations,
          applied: applied.map((one) => ({ ...one, at: isoTime(one.at) ?? "" }))
        }))
      )
      .handle("reports", ({ urlParams: { days = 7 } }) =>
        Effect.map(known(reportDays(days)), (reports) => ({
          reports: reports.map(({ changed, settings, ...report }) => ({
            ...report,
            changed: changed ?? null,
            settings: settings.map(({ at, by, name, to }) => ({ at: isoTime(at) ?? "", name, by, to }))
          }))
        }))
      )
      .handle("alerts", () =>
        Effect.map(Effect.zip(known(readAlerts), Clock.currentTimeMillis), ([alerts, now]) => ({
          alerts: standing(alerts).map(({ at, id, message }) => ({ id, since: isoTime(at) ?? "", message })),
          history: alerts.map((alert) => ({ ...alert, at: isoTime(alert.at) ?? "" })).reverse(),
          cap: watch.cap(now) ?? null
        }))
      )
      .handle("lately", () =>
        Effect.sync(() => ({
          requests: watch.lately.requests().map((one) => ({ ...one, at: isoTime(one.at) ?? "" })),
          topKeys: watch.lately.topKeys(20).map((one) => ({ ...one }))
        }))
      )
      .handle("explain", ({ urlParams: { collection: name, key } }) =>
        Effect.gen(function* () {
          const collection = collections.get(name)
          if (collection === undefined) return yield* noSuchCollection(name)
          const closed = closedTo(collection, yield* Caller, false)
          if (closed !== undefined) return yield* closed
          const rule = brokenKeyRule(key)
          if (rule !== undefined) return yield* problem("bad-key", rule)
          return yield* explainKey(collection, key)
        })
      )
      .handle("performance", () =>
        Effect.map(known(readPerformance), ({ byCollection, byRoute, crons, problems, since, total, ...rest }) => ({
          ...rest,
          since: isoTime(since) ?? "",
          total: { ...total },
          problems: problems.map((one) => ({ ...one })),
          crons: crons.map((one) => ({ ...one })),
          byRoute: byRoute.map((route) => ({ ...route })),
          byCollection: byCollection.map((collection) => ({ ...collection }))
        }))
      )
      .handle("metrics", () => known(exportMetrics))
  })
)
