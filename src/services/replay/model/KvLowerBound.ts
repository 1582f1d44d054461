import * as Duration from "effect/Duration"
import { forEachOperation, type Workload } from "../Workload.ts"

/** The fewest billed KV operations that any cache without packing could answer a workload with. */
export interface KvLowerBound {
  readonly kvReads: number
  readonly kvWrites: number
}

/** KV takes one put a second for a key, so that of those closer together one at most is billed. */
const putInterval = 1000

/**
 * One infinite cache that loses nothing and is asked by all; per key a greedy count, which is the exact minimum
 * (interval stabbing). A read opens a freshness window `[t, t + T)` that covers all reads in it; a write or a delete
 * opens one for nothing, its outcome being known. T is the longer of the collection's memory and edge ttl: an infinite
 * one leaves the keys that are read before they are written. A write opens a flush window `[t, t + F)` whose writes
 * are one put, and none if a delete follows in it; F is `flushEvery` where the collection buffers, else KV's own pace.
 * Throttling is left out, as it need not touch KV, and so is latency, which moves a freshness window's begin from the
 * question to the answer.
 */
export const kvLowerBoundOf = (workload: Workload["Type"]): KvLowerBound => {
  const { entries } = workload
  const freshUntil = new Float64Array(entries.length).fill(Number.NEGATIVE_INFINITY)
  const flushAt = new Float64Array(entries.length).fill(Number.NEGATIVE_INFINITY)
  let kvReads = 0
  let kvWrites = 0
  forEachOperation(workload, (operation, entry, at) => {
    if (operation === "throttle") return
    const { millis, policy } = entries[entry]!.collection
    const window = Math.max(millis.memoryTtl, millis.edgeTtl)
    if (operation !== "read") freshUntil[entry] = at + window
    else if (at >= freshUntil[entry]!) {
      kvReads += 1
      freshUntil[entry] = at + window
    }
    if (operation === "write" && at >= flushAt[entry]!) {
      kvWrites += 1
      flushAt[entry] = at + (policy.write === "behind" ? Duration.toMillis(policy.flushEvery) : putInterval)
    } else if (operation === "delete" && at < flushAt[entry]! && policy.write === "behind") {
      kvWrites -= 1
      flushAt[entry] = Number.NEGATIVE_INFINITY
    }
  })
  return { kvReads, kvWrites }
}
