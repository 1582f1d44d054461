import { type Figures, under } from "./Figures.ts"

/**
 * DDSketch (Masson, Rim, Lee, VLDB 2019): buckets whose bounds grow by a constant factor, so that any quantile is within
 * 1 % of the true one, and sketches merge by adding their counts. Bucket 0 is what took less than half a millisecond,
 * which in a Worker is what waited for nothing: its clock stands still between I/O.
 */
const accuracy = 0.01
const growth = (1 + accuracy) / (1 - accuracy)
const logGrowth = Math.log(growth)

/** Half a millisecond is bucket 1. */
const offset = 1 - Math.ceil(Math.log(0.5) / logGrowth)

export const bucketOf = (millis: number): number =>
  millis < 0.5 ? 0 : Math.ceil(Math.log(millis) / logGrowth) + offset

/** Milliseconds in the middle of a bucket, no more than 1 % from anything in it. */
export const millisOf = (bucket: number): number =>
  bucket === 0 ? 0 : (2 * growth ** (bucket - offset)) / (growth + 1)

/** Counts by bucket, in the order of the buckets. */
export type Sketch = ReadonlyArray<readonly [bucket: number, count: number]>

/** Of all figures under a prefix whose names end in a bucket, added up. */
export const sketchOf = (figures: Figures, prefix: string): Sketch => {
  const counts = new Map<number, number>()
  for (const [rest, count] of Object.entries(under(figures, prefix))) {
    const bucket = Number(rest.slice(rest.lastIndexOf("|") + 1))
    counts.set(bucket, (counts.get(bucket) ?? 0) + count)
  }
  return [...counts].sort(([a], [b]) => a - b)
}

export const countOf = (sketch: Sketch): number => sketch.reduce((sum, [, count]) => sum + count, 0)

/** Milliseconds that a share of all, 0 to 1, did not pass; undefined for none at all. */
export const quantile = (sketch: Sketch, share: number): number | undefined => {
  const rank = share * (countOf(sketch) - 1)
  let below = 0
  for (const [bucket, count] of sketch) {
    below += count
    if (below > rank) return millisOf(bucket)
  }
  return undefined
}
