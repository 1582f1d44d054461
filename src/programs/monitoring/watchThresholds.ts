import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { dayOf } from "../../services/base/model/UtcDay.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { FigureBook, type FigurePoint } from "../../services/monitoring/FigureBook.ts"
import { MonitorSettings } from "../../services/monitoring/MonitorSettings.ts"
import { summaryOf } from "../../services/monitoring/model/Performance.ts"
import { type Alert, alertsIn } from "../../services/monitoring/model/Threshold.ts"
import { Notifier } from "../../services/notifications/Notifier.ts"

/** How often the cron fires that sends alerts. */
const cronMillis = 300_000

/** After so long all isolates have told what they counted in a minute. */
const toldMillis = 60_000

/** KV writes of the day of the first of these minutes that were made before it. */
const writesBefore = (days: ReadonlyArray<FigurePoint>, minutes: ReadonlyArray<FigurePoint>): number => {
  const first = minutes[0]
  if (first === undefined) return 0
  const writesOf = (points: ReadonlyArray<FigurePoint>): number =>
    points
      .filter(({ at }) => dayOf(at) === dayOf(first.at))
      .reduce((sum, { figures }) => sum + (figures["ledger|kv|writes"] ?? 0), 0)
  return Math.max(0, writesOf(days) - writesOf(minutes))
}

/** All that the last two hours raised and cleared. The minute that is not over yet says nothing. */
export const readAlerts = Effect.gen(function* () {
  const ledger = yield* Ledger
  const settings = yield* MonitorSettings
  const { view } = yield* FigureBook
  const { days, minutes } = yield* view
  const now = yield* Clock.currentTimeMillis
  const shape = ledger.report().total
  const over = minutes.filter(({ at }) => at + 60_000 <= now)
  return alertsIn(
    over.map(({ at, figures }) => ({ at, ...summaryOf(figures, shape) })),
    settings,
    writesBefore(days, minutes)
  )
})

const bodyOf = ({ at, id, kind, message }: Alert): string =>
  JSON.stringify({ type: `larder.alert.${kind}`, alert: id, at: new Date(at).toISOString(), message })

/**
 * Tells the webhook of what was raised and cleared in five minutes, which end a minute before this run's time: each
 * belongs to one run, so that it is told once, and its key is the same in every isolate. One that is not taken is logged.
 */
export const watchThresholds = Effect.gen(function* () {
  const { alertWebhook } = yield* MonitorSettings
  if (alertWebhook === "none") return 0
  const notifier = yield* Notifier
  const now = yield* Clock.currentTimeMillis
  const until = Math.floor(now / cronMillis) * cronMillis - toldMillis
  const news = (yield* readAlerts).filter(({ at }) => at > until - cronMillis && at <= until)
  yield* Effect.forEach(
    news,
    (alert) =>
      Effect.ignoreLogged(
        notifier.deliver({ key: `${alert.id}-${alert.kind}-${alert.at}`, target: alertWebhook, body: bodyOf(alert) })
      ),
    { discard: true }
  )
  return news.length
})
