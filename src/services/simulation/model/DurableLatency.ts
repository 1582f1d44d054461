import { uniformOf } from "../../base/model/Random.ts"
import type { Quantiles } from "./KvLatency.ts"

/**
 * Median round trip of one RPC from a location to the objects, in milliseconds: from 10 to 30, the same location's
 * always the same. Assumed, Cloudflare publishes none: an object stays where it was made, some locations are near it
 * and others are not.
 */
export const medianAt = (seed: number, location: number): number => 10 + 20 * uniformOf(seed, location, 0)

/** Round trips about a median. Assumed; the longest, 600 ms, is within every deadline, so that no call is given up. */
export const roundTrip = (median: number): Quantiles => [
  [0, median / 2],
  [0.5, median],
  [0.95, median * 2],
  [0.99, median * 5],
  [1, median * 20]
]
