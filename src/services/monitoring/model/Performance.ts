import { type LedgerTotals, type OtherItem, usdOf, usdWithout } from "../../ledger/Ledger.ts"
import type { Tier } from "../../store/Store.ts"
import { type Figures, shaped, under } from "./Figures.ts"
import { countOf, quantile, sketchOf } from "./LatencySketch.ts"

const tiers: ReadonlyArray<Tier> = ["static", "memory", "edge", "durable", "kv", "loader"]

export type Answered = { readonly [T in Tier]: number }

export interface Latency {
  readonly requests: number
  /** Milliseconds; null where nothing was asked. */
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/** What a span of time came to. */
export interface Summary extends Latency {
  readonly reads: number
  readonly answered: Answered
  /** Reads that no loader and no store of record was asked for, of all reads; 0 to 1, null without any. */
  readonly hitRatio: number | null
  readonly stale: number
  readonly grace: number
  /** Answers of 500 and above, of all requests. */
  readonly errorRatio: number | null
  readonly kv: LedgerTotals["kv"]
  readonly logical: LedgerTotals["logical"]
  readonly durableObject: LedgerTotals["durableObject"]
  readonly usd: { readonly spent: number; readonly withoutLarder: number; readonly saved: number }
}

export interface RouteFigures extends Latency {
  readonly route: string
  readonly tier: string
  readonly byStatus: { readonly [status: string]: number }
}

export interface CollectionFigures {
  readonly collection: string
  readonly reads: number
  readonly answered: Answered
  readonly hitRatio: number | null
  readonly kv: LedgerTotals["kv"]
  readonly kvCalls: LedgerTotals["kvCalls"]
  readonly logical: LedgerTotals["logical"]
}

export interface ProblemFigures {
  /** The last segment of the problem's type. */
  readonly kind: string
  readonly status: number
  readonly count: number
}

/** Runs of a job that crons start. */
export interface CronFigures {
  readonly job: string
  readonly done: number
  readonly failed: number
  /** The minute, or else the hour, of its last run: milliseconds since the epoch; null where that is too long ago. */
  readonly lastAt: number | null
}

const latencyOf = (figures: Figures, prefix: string): Latency => {
  const sketch = sketchOf(figures, prefix)
  const at = (share: number) => quantile(sketch, share) ?? null
  return { requests: countOf(sketch), p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

const answeredIn = (figures: Figures, prefix: string): Answered =>
  Object.fromEntries(tiers.map((tier) => [tier, figures[`${prefix}|${tier}`] ?? 0])) as Answered

const sum = (counts: object): number => Object.values(counts).reduce((total: number, one) => total + one, 0)

/** Answered before the store of record: by static tables, memory or the edge; in durable mode by the shard, too. */
const hitRatioOf = (answered: Answered): number | null => {
  const all = sum(answered)
  return all === 0 ? null : (all - answered.kv - answered.loader) / all
}

const others = { r2ClassA: 0, r2ClassB: 0, d1RowsRead: 0, d1RowsWritten: 0, workerRequests: 0 } as const satisfies {
  readonly [I in OtherItem]: number
}

/** @param shape the totals of a ledger, for their form alone */
export const totalsIn = (figures: Figures, shape: LedgerTotals): LedgerTotals =>
  shaped(figures, "ledger", { ...shape, other: others })

/** @param shape the totals of a ledger, for their form alone */
export const summaryOf = (figures: Figures, shape: LedgerTotals): Summary => {
  const totals = totalsIn(figures, shape)
  const answered = answeredIn(figures, "answered")
  const statuses = Object.entries(under(figures, "requests|"))
  const errors = statuses.reduce((all, [name, count]) => (/\|5\d\d$/.test(name) ? all + count : all), 0)
  const requests = statuses.reduce((all, [, count]) => all + count, 0)
  const spent = usdOf(totals)
  const withoutLarder = usdWithout(totals)
  return {
    ...latencyOf(figures, "ms|"),
    reads: sum(answered),
    answered,
    hitRatio: hitRatioOf(answered),
    stale: figures["reads|stale"] ?? 0,
    grace: figures["reads|grace"] ?? 0,
    errorRatio: requests === 0 ? null : errors / requests,
    kv: totals.kv,
    logical: totals.logical,
    durableObject: totals.durableObject,
    usd: { spent, withoutLarder, saved: withoutLarder - spent }
  }
}

/** Refusals and failures by the kinds of their problems, the most frequent first. */
export const problemsIn = (figures: Figures): ReadonlyArray<ProblemFigures> =>
  Object.entries(under(figures, "problems|"))
    .map(([name, count]) => {
      const [kind = "", status = ""] = name.split("|")
      return { kind, status: Number(status), count }
    })
    .sort((a, b) => b.count - a.count)

/** @param points minutes and hours, of which the latest say when a job ran last */
export const cronsIn = (
  figures: Figures,
  points: ReadonlyArray<{ readonly at: number; readonly figures: Figures }>
): ReadonlyArray<CronFigures> => {
  const runs = Object.keys(under(figures, "crons|")).map((name) => name.slice(0, name.indexOf("|")))
  const ranIn = (of: Figures, job: string) => (of[`crons|${job}|done`] ?? 0) + (of[`crons|${job}|failed`] ?? 0)
  return [...new Set(runs)].sort().map((job) => ({
    job,
    done: figures[`crons|${job}|done`] ?? 0,
    failed: figures[`crons|${job}|failed`] ?? 0,
    lastAt: points.reduce<number | null>(
      (last, point) => (ranIn(point.figures, job) > 0 ? Math.max(last ?? 0, point.at) : last),
      null
    )
  }))
}

export const routesIn = (figures: Figures): ReadonlyArray<RouteFigures> => {
  const statuses = new Map<string, Record<string, number>>()
  for (const [name, count] of Object.entries(under(figures, "requests|"))) {
    const [route = "", tier = "", status = ""] = name.split("|")
    const of = statuses.get(`${route}|${tier}`) ?? {}
    of[status] = count
    statuses.set(`${route}|${tier}`, of)
  }
  return [...statuses]
    .map(([name, byStatus]) => {
      const [route = "", tier = ""] = name.split("|")
      return { route, tier, byStatus, ...latencyOf(figures, `ms|${name}|`) }
    })
    .sort((a, b) => b.requests - a.requests)
}

export const collectionsIn = (figures: Figures, shape: LedgerTotals): ReadonlyArray<CollectionFigures> => {
  const names = new Set(Object.keys(under(figures, "collection|")).map((name) => name.slice(0, name.indexOf("|"))))
  return [...names]
    .map((collection) => {
      const answered = answeredIn(figures, `collection|${collection}|answered`)
      return {
        collection,
        reads: sum(answered),
        answered,
        hitRatio: hitRatioOf(answered),
        kv: shaped(figures, `collection|${collection}|kv`, shape.kv),
        kvCalls: shaped(figures, `collection|${collection}|kvCalls`, shape.kvCalls),
        logical: shaped(figures, `collection|${collection}|logical`, shape.logical)
      }
    })
    .sort((a, b) => b.reads - a.reads || (a.collection < b.collection ? -1 : 1))
}
