/** A key and how often it was asked for, at most; at least `count - error` times. */
export interface TopKey {
  readonly key: string
  readonly count: number
  readonly error: number
}

/**
 * Space-Saving (Metwally, Agrawal and El Abbadi, ICDT 2005): the most frequent keys of a stream in a bounded table. What
 * is new takes the place of the least counted, and its count with it. Any key of more than a share of 1/size is in it.
 */
export const makeTopKeys = (size = 128) => {
  const counts = new Map<string, { count: number; error: number }>()

  const least = (): readonly [string, number] => {
    let found: readonly [string, number] = ["", Number.POSITIVE_INFINITY]
    for (const [key, { count }] of counts) if (count < found[1]) found = [key, count]
    return found
  }

  return {
    /** @param times that this one stands for, where only some are counted */
    add: (key: string, times = 1): void => {
      const known = counts.get(key)
      if (known !== undefined) known.count += times
      else if (counts.size < size) counts.set(key, { count: times, error: 0 })
      else {
        const [loser, count] = least()
        counts.delete(loser)
        counts.set(key, { count: count + times, error: count })
      }
    },
    top: (most: number): ReadonlyArray<TopKey> =>
      [...counts]
        .map(([key, { count, error }]) => ({ key, count, error }))
        .sort((a, b) => b.count - a.count)
        .slice(0, most)
  }
}
