import type { LedgerTotals } from "../../ledger/Ledger.ts"
import type { Figures } from "./Figures.ts"
import { routesIn, summaryOf } from "./Performance.ts"

/** A point as Workers Analytics Engine takes it. */
export interface AnalyticsPoint {
  readonly indexes: readonly [string]
  readonly blobs: ReadonlyArray<string>
  readonly doubles: ReadonlyArray<number>
}

/**
 * Points of one batch. Cloudflare takes 250 of an invocation, 20 blobs of 16 KB together, 20 doubles and one index of 96
 * bytes each (analytics-engine/limits); older documents say 25 points.
 */
export const mostPoints = 25

const indexCharacters = 32

/** Route and tier are ASCII and short: see internal/routeClass.ts. */
const short = (text: string): string => text.slice(0, indexCharacters)

/**
 * The totals of a batch, then its routes by tier, those that were asked most first. `indexes[0]` and `blobs[0]` say which;
 * the order of the doubles is in docs/operating.md.
 */
export const pointsOf = (figures: Figures, shape: LedgerTotals, isolate: string): ReadonlyArray<AnalyticsPoint> => {
  const { durableObject, errorRatio, grace, kv, logical, p50, p95, p99, reads, requests, stale, usd, ...rest } =
    summaryOf(figures, shape)
  const errors = (of: { readonly [status: string]: number }) =>
    Object.entries(of).reduce((all, [status, count]) => (status >= "500" ? all + count : all), 0)
  const routes = routesIn(figures)
  if (routes.length === 0 && reads === 0) return []
  return [
    {
      indexes: ["totals"],
      blobs: ["totals", isolate],
      doubles: [
        requests,
        reads,
        rest.hitRatio ?? 0,
        Math.round((errorRatio ?? 0) * requests),
        stale,
        grace,
        kv.reads,
        kv.writes,
        kv.deletes,
        kv.lists,
        logical.reads,
        logical.writes,
        durableObject.requests,
        durableObject.rowsRead,
        durableObject.rowsWritten,
        usd.spent,
        usd.withoutLarder,
        p50 ?? 0,
        p95 ?? 0,
        p99 ?? 0
      ]
    },
    ...routes.slice(0, mostPoints - 1).map(
      (route): AnalyticsPoint => ({
        indexes: [short(route.route)],
        blobs: ["route", isolate, short(route.route), short(route.tier)],
        doubles: [route.requests, errors(route.byStatus), route.p50 ?? 0, route.p95 ?? 0, route.p99 ?? 0]
      })
    )
  ]
}
