import { type Item, prices, type Usage } from "./Prices.ts"

/**
 * Workers KV Instant, a private beta, takes the place of a namespace: reads $0.20 a million keys, each write, delete or
 * list $0.10, storage $100 a MB and month. Source: Cloudflare's blog, "workers-kv-instant", 2026-10-01.
 */
export const kvInstant = { asOf: "2026-10-01", reads: 0.2 / 1e6, changes: 0.1, storedGbMonth: 100_000 }

/** A part of the bill. */
export interface BillLine {
  readonly item: Item
  readonly count: number
  readonly unit: string
  /** At list price. */
  readonly usd: number
  /** Whether it is in the total. What a Worker is billed with or without a cache, its requests and CPU, is not. */
  readonly counted: boolean
}

/** The limit of the Free plan that is met first at this rate. */
export interface FreePlanLimit {
  readonly item: Item
  readonly perDay: number
  /** What a day at this rate uses. */
  readonly used: number
  /** Hours after 00:00 UTC when it is met; null if the day's end comes first. */
  readonly afterHours: number | null
}

export interface Bill {
  /** US dollars at list price, included amounts disregarded, of every line that counts. */
  readonly total: number
  readonly perMillionRequests: number
  /** What the same time would have cost without any request: part of the total. */
  readonly atRest: number
  readonly lines: ReadonlyArray<BillLine>
  /** 30 days at this rate: at list price, and with what the plan includes taken off, its base fee not among it. */
  readonly month: { readonly list: number; readonly plan: number }
  readonly freePlanFirstLimit: FreePlanLimit | null
  /** What the KV lines would cost with Workers KV Instant. */
  readonly kvInstant: number
}

export interface BilledPeriod {
  /** Milliseconds in which all of it was used. */
  readonly millis: number
  readonly requests: number
  readonly plan: "paid" | "free"
  /** What of the usage no request had caused. */
  readonly atRest: Usage
}

const monthMillis = 30 * 86_400_000

/** What is stored, and R2, is allowed by the month on the Free plan. */
const isMonthly = (item: Item): boolean => item.endsWith("Stored") || item.startsWith("r2")

const isCounted = (item: Item): boolean => item !== "workerRequests" && item !== "workerCpu"

const entriesOf = (usage: Usage) => Object.entries(usage) as Array<[Item, number]>

/** Dollars at list price of all that counts. */
export const usdOf = (usage: Usage): number =>
  entriesOf(usage).reduce((sum, [item, count]) => (isCounted(item) ? sum + count * prices[item][0] : sum), 0)

export const billOf = (usage: Usage, { atRest, millis, plan, requests }: BilledPeriod): Bill => {
  const total = usdOf(usage)
  const months = monthMillis / millis
  const month = entriesOf(usage).map(([item, count]) => [item, count * months] as const)
  const { kvDeletes = 0, kvLists = 0, kvReads = 0, kvStored = 0, kvWrites = 0 } = usage
  return {
    total,
    perMillionRequests: requests === 0 ? 0 : (total / requests) * 1e6,
    atRest: usdOf(atRest),
    lines: entriesOf(usage).map(([item, count]) => ({
      item,
      count,
      unit: prices[item][3],
      usd: count * prices[item][0],
      counted: isCounted(item)
    })),
    month: {
      list: total * months,
      plan:
        plan === "free"
          ? 0
          : month.reduce(
              (sum, [item, count]) =>
                isCounted(item) ? sum + Math.max(0, count - prices[item][1]) * prices[item][0] : sum,
              0
            )
    },
    freePlanFirstLimit: firstLimit(month),
    kvInstant:
      kvReads * kvInstant.reads +
      (kvWrites + kvDeletes + kvLists) * kvInstant.changes +
      kvStored * kvInstant.storedGbMonth
  }
}

/**
 * What 30 days cost in which nobody asks for anything: a cron trigger every five minutes looks at the mode, with one KV
 * read or one request and one row of an object; the first object looks for outside writes every four hours.
 */
export const usageAtRest = (durable: boolean): Usage => {
  const [crons, alarms] = [30 * 288, 30 * 6]
  return durable
    ? { kvLists: alarms, durableObjectRequests: crons + alarms, durableObjectRowsWritten: crons + alarms }
    : { kvReads: crons }
}

const firstLimit = (month: ReadonlyArray<readonly [Item, number]>): FreePlanLimit | null => {
  let first: FreePlanLimit | null = null
  for (const [item, count] of month) {
    const perDay = isMonthly(item) ? prices[item][2] / 30 : prices[item][2]
    const used = count / 30
    if (used === 0 || (first !== null && used / perDay <= first.used / first.perDay)) continue
    first = { item, perDay, used, afterHours: used < perDay ? null : (24 * perDay) / used }
  }
  return first
}
