/** Quantiles of a latency as points (fraction, milliseconds), both rising; a logarithm of time is drawn between them. */
export type Quantiles = ReadonlyArray<readonly [fraction: number, millis: number]>

/**
 * What a location must ask of the central store. Reads of one production Worker, all of its locations, 24 h of July
 * 2026, n = 77,500: p50 28 ms, p95 321 ms, p99 816 ms (koala73/worldmonitor; Cloudflare publishes none). The two ends
 * are assumed, and so is that a write, a delete or a list, of which no figure was found, takes what a read does.
 */
export const central: Quantiles = [
  [0, 8],
  [0.5, 28],
  [0.95, 321],
  [0.99, 816],
  [1, 2000]
]

/** A read whose answer its location reuses. Assumed, after "half of requests in under 1 ms" inside KV (blog, 2024). */
export const reused: Quantiles = [
  [0, 1],
  [1, 5]
]

/** @param random uniform in [0, 1) */
export const millisAt = (quantiles: Quantiles, random: number): number => {
  let i = 1
  while (i < quantiles.length - 1 && random >= quantiles[i]![0]) i++
  const [fromFraction, from] = quantiles[i - 1]!
  const [toFraction, to] = quantiles[i]!
  return from * (to / from) ** ((random - fromFraction) / (toFraction - fromFraction))
}
