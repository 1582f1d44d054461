/**
 * What was kept or asked for last: as much of it as fits into `most`, and always one.
 *
 * @param sizeOf by default every value counts for one
 */
export const makeRecent = <K, A>(most: number, sizeOf: (value: A) => number = () => 1) => {
  const held = new Map<K, A>()
  /** What comes before it has been dropped: one that begins anew would pass the places of all that were. */
  let order = held.keys()
  let size = 0

  const drop = (key: K): void => {
    const value = held.get(key)
    if (value === undefined) return
    held.delete(key)
    size -= sizeOf(value)
  }

  return {
    get: (key: K): A | undefined => {
      const value = held.get(key)
      if (value === undefined) return undefined
      held.delete(key)
      held.set(key, value)
      return value
    },
    put: (key: K, value: A): void => {
      drop(key)
      held.set(key, value)
      size += sizeOf(value)
      while (size > most && held.size > 1) {
        const { done, value: oldest } = order.next()
        if (done) order = held.keys()
        else drop(oldest)
      }
    }
  }
}
