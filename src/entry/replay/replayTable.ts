import type { Bill } from "../../services/ledger/model/Bill.ts"
import type { ReplayResult } from "./replay.ts"

/** What a reader compares first, per stack: the rows of the table and of the report. */
export const rowsOf = ({
  requests,
  stacks
}: ReplayResult): ReadonlyArray<{ readonly [column: string]: string | number }> =>
  stacks.map(({ bound, durableObject, hitRatio, kv, latencyMs, usd, ...stack }) => ({
    stack: stack.stack,
    "KV reads": kv.reads,
    "KV writes": kv.writes,
    "KV deletes": kv.deletes,
    "KV lists": kv.lists,
    refused: stack.refused,
    "memory hit %": rounded(hitRatio.memory * 100, 1),
    "edge hit %": rounded(hitRatio.edge * 100, 1),
    "durable hit %": rounded(hitRatio.durable * 100, 1),
    "DO requests": durableObject.requests,
    "DO rows written": durableObject.rowsWritten,
    "$ per M requests": rounded(usd.perMillionRequests, 4),
    "of it KV": rounded(shareOf(usd, "kv"), 4),
    "of it objects": rounded(shareOf(usd, "durableObject"), 4),
    "of it at rest": rounded((usd.atRest / requests) * 1e6, 4),
    "$ a month": rounded(usd.month.list, 4),
    "with the plan": rounded(usd.month.plan, 4),
    "free plan ends with": limitOf(usd),
    "p50 ms": rounded(latencyMs.p50, 0),
    "p99 ms": rounded(latencyMs.p99, 0),
    "stale reads": stack.staleReads,
    "of them beyond the policy": stack.staleBeyondPolicy,
    "loader runs": stack.loaderRuns,
    "lost writes": stack.lostWrites + stack.bufferedLost,
    "least KV reads": bound.kvReads,
    "least KV writes": bound.kvWrites
  }))

export const titleOf = ({ reads, requests, seed, workload, writes }: ReplayResult): string =>
  `${workload}: ${requests} requests, ${reads} reads, ${writes} writes, seed ${seed}`

/** Dollars per million requests of a service's lines: the names of its items begin with its own. */
const shareOf = ({ lines, perMillionRequests, total }: Bill, service: string): number =>
  total === 0
    ? 0
    : (lines.reduce((sum, { counted, item, usd }) => (counted && item.startsWith(service) ? sum + usd : sum), 0) /
        total) *
      perMillionRequests

const limitOf = ({ freePlanFirstLimit: limit }: Bill): string => {
  if (limit === null) return ""
  const share = (100 * limit.used) / limit.perDay
  return limit.afterHours === null
    ? `${limit.item} (${rounded(share, 1)} % used)`
    : `${limit.item} after ${rounded(limit.afterHours, 1)} h`
}

const rounded = (number: number, digits: number): number => Number(number.toFixed(digits))
