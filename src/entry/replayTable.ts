import type { ReplayResult } from "./replay.ts"

const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`

/** What a reader compares first, per stack: the rows of the table and of the report. */
export const rowsOf = ({ stacks }: ReplayResult): ReadonlyArray<{ readonly [column: string]: string | number }> =>
  stacks.map(({ bound, hitRatio, kv, latencyMs, ...stack }) => ({
    stack: stack.stack,
    "KV reads": kv.reads,
    "KV writes": kv.writes,
    "KV deletes": kv.deletes,
    refused: stack.refused,
    "memory hits": percent(hitRatio.memory),
    "edge hits": percent(hitRatio.edge),
    "$/M requests": stack.usdPerMillionRequests.toFixed(4),
    "p50 ms": Math.round(latencyMs.p50),
    "p99 ms": Math.round(latencyMs.p99),
    stale: stack.staleReads,
    lost: stack.lostWrites + stack.bufferedLost,
    "least reads": bound.kvReads,
    "least writes": bound.kvWrites
  }))

export const titleOf = ({ reads, requests, seed, workload, writes }: ReplayResult): string =>
  `${workload}: ${requests} requests, ${reads} reads, ${writes} writes, seed ${seed}`
