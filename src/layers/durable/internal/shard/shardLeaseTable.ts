interface Held {
  readonly lease: number
  /** Milliseconds since the epoch. */
  readonly until: number
}

/**
 * Leases for loading absent ids, in memory: a restart ends them all.
 *
 * @param base below every number given out; drawn anew in every life, so that no lease of an earlier one holds
 */
export const makeLeaseTable = (base: number) => {
  const held = new Map<string, Held>()
  let last = base
  let pruneAt = 1024

  const holder = (id: string, now: number): Held | undefined => {
    const found = held.get(id)
    if (found === undefined || now < found.until) return found
    held.delete(id)
    return undefined
  }

  return {
    take: (id: string, until: number, now: number): number | undefined => {
      if (holder(id, now) !== undefined) return undefined
      if (held.size >= pruneAt) {
        for (const other of [...held.keys()]) holder(other, now)
        pruneAt = Math.max(1024, held.size * 2)
      }
      held.set(id, { lease: ++last, until })
      return last
    },
    holds: (id: string, lease: number, now: number): boolean => holder(id, now)?.lease === lease,
    release: (id: string, lease: number): void => {
      if (held.get(id)?.lease === lease) held.delete(id)
    },
    end: (id: string): void => {
      held.delete(id)
    },
    endAll: (prefix = ""): void => {
      for (const id of [...held.keys()]) if (id.startsWith(prefix)) held.delete(id)
    }
  }
}
