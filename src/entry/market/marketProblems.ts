import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { homeExchange, settling } from "../../programs/market/publishDailyReport.ts"
import { dateOf } from "../../services/base/model/UtcDay.ts"
import type { MarketDataError } from "../../services/market/MarketData.ts"
import { MarketSettings } from "../../services/market/MarketSettings.ts"
import { isDate, shiftDate, weekdayOf } from "../../services/static-data/model/ZonedTime.ts"
import type { StaticData } from "../../services/static-data/StaticData.ts"
import type { StoreError } from "../../services/store/Store.ts"
import { isoTime } from "../http/isoTime.ts"
import { type Problem, problem, refuse } from "../http/problem.ts"

/** Seconds after which to come again where nobody says. */
const patience = 5

/** What is left to say when none of the symbols could be had. */
export const nothing = (what: string, failed: ReadonlyMap<string, object>): Problem =>
  problem("unavailable", `no ${what} can be had just now, and none is known from before`, {
    retryAfter: Math.max(
      patience,
      ...[...failed.values()].map((error) => ("retryAfter" in error ? Number(error.retryAfter ?? 0) : 0))
    )
  })

const noSource = problem(
  "no-market-source",
  "set MARKET_SOURCE: `http` asks a service like Yahoo's charts, `sample` invents prices and headlines"
)

/** What needs prices, where there is a source of them. */
export const withPrices = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Problem, R | MarketSettings> =>
  Effect.flatMap(
    MarketSettings,
    ({ marketSource }): Effect.Effect<A, E | Problem, R> => (marketSource === "off" ? noSource : effect)
  )

/** What needs headlines: only invented ones are to be had. */
export const withHeadlines = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Problem, R | MarketSettings> =>
  Effect.flatMap(
    MarketSettings,
    ({ marketSource }): Effect.Effect<A, E | Problem, R> =>
      marketSource === "sample"
        ? effect
        : problem("no-market-source", "there is no source of headlines but MARKET_SOURCE `sample`; POST your own")
  )

/** Failures of the store and of the provider as HTTP tells them. */
export const orProblem = <A, R>(
  effect: Effect.Effect<A, StoreError | MarketDataError, R>
): Effect.Effect<A, Problem, R> =>
  Effect.catchAll(effect, (error) =>
    error._tag === "StoreError"
      ? refuse(error)
      : Effect.zipRight(
          Effect.logWarning("the provider of prices failed", error),
          problem("unavailable", `the provider of prices did not answer as it should: ${error.reason}`, {
            retryAfter: error.retryAfter ?? patience
          })
        )
  )

/** How far back signals can be asked for, and are when nobody says. Days. */
const furthest = 366
const usual = 30

/** `?since=`, a date within the last year. */
export const sinceDate = (since: string | undefined): Effect.Effect<string, Problem> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const today = dateOf(now)
    if (since === undefined) return Effect.succeed(shiftDate(today, -usual))
    if (!isDate(since)) return problem("bad-parameter", "since: a day as YYYY-MM-DD")
    if (since > shiftDate(today, 1)) return problem("bad-parameter", `since: ${since} is still ahead`)
    return since < shiftDate(today, -furthest)
      ? problem("bad-parameter", `since: at most ${furthest} days back`)
      : Effect.succeed(since)
  })

/** Why there is no report of a date. `now` in milliseconds since the epoch. */
export const whyNone = (data: Pick<StaticData["Type"], "session">, date: string, now: number): string => {
  const session = data.session(homeExchange, date)
  if (session === "unknown") return `the calendar of ${homeExchange} does not reach ${date}`
  if (session === "closed") {
    const weekend = weekdayOf(date) === 0 || weekdayOf(date) === 6
    return `${date} was no trading day of ${homeExchange}: it is a ${weekend ? "weekend" : "holiday"}`
  }
  const from = session.close + Duration.toMillis(settling)
  return now < from
    ? `the session of ${date} is not over: its report is published some time after ${isoTime(from)}`
    : `none was published for ${date}, or not yet`
}
