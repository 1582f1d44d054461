import type { ReplayResult } from "./replay.ts"

/** What a reader compares first, per stack: the rows of the table and of the report. */
export const rowsOf = ({ stacks }: ReplayResult): ReadonlyArray<{ readonly [column: string]: string | number }> =>
  stacks.map(({ bound, durableObject, hitRatio, kv, latencyMs, ...stack }) => ({
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
    "$ per M requests": rounded(stack.usdPerMillionRequests, 4),
    "p50 ms": rounded(latencyMs.p50, 0),
    "p99 ms": rounded(latencyMs.p99, 0),
    "stale reads": stack.staleReads,
    "lost writes": stack.lostWrites + stack.bufferedLost,
    "least KV reads": bound.kvReads,
    "least KV writes": bound.kvWrites
  }))

export const titleOf = ({ reads, requests, seed, workload, writes }: ReplayResult): string =>
  `${workload}: ${requests} requests, ${reads} reads, ${writes} writes, seed ${seed}`

const rounded = (number: number, digits: number): number => Number(number.toFixed(digits))
