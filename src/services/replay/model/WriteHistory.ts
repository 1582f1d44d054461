/**
 * Who wrote what, in which order it was acknowledged, and what a read may therefore see. Writes are numbered from 1
 * as they are issued; number 0 is what was there before. Of two writes that overlapped either order is right, so one
 * is older than another only if it had ended before the other was issued (Herlihy and Wing, Linearizability, 1990).
 * A write that failed may still have been done: it never ends.
 */
export const make = (entries: number, writes: number) => {
  const issuedAt = new Uint32Array(writes + 1)
  const endedAt = new Float64Array(writes + 1).fill(Number.POSITIVE_INFINITY)
  const expiresAt = new Float64Array(writes + 1).fill(Number.POSITIVE_INFINITY)
  const outcome: Array<Outcome | undefined> = new Array(writes + 1).fill(undefined)
  const entryOf = new Uint32Array(writes + 1)
  const dueAt = new Float64Array(writes + 1)
  const before = new Uint32Array(writes + 1)
  const newest = new Uint32Array(entries)
  const acknowledged = new Uint32Array(entries)
  const removed = new Uint32Array(entries)
  let issued = 0
  let moment = 0

  const isOlder = (a: number, b: number): boolean => a !== b && (a === 0 || endedAt[a]! < issuedAt[b]!)

  return {
    /** The number of a write that begins now. A delete is a write. */
    issue: (entry: number, removes: boolean): number => {
      issued += 1
      issuedAt[issued] = ++moment
      entryOf[issued] = entry
      before[issued] = newest[entry]!
      newest[entry] = issued
      if (removes) removed[entry] = issued
      return issued
    },
    /**
     * A write ended, and was acknowledged with this.
     *
     * @param due milliseconds since the epoch from which the store of record is to have it
     * @param expiry milliseconds since the epoch from which an absence is what was promised
     */
    acknowledge: (write: number, as: Outcome, due: number, expiry = Number.POSITIVE_INFINITY): void => {
      endedAt[write] = ++moment
      dueAt[write] = due
      expiresAt[write] = expiry
      outcome[write] = as
      const entry = entryOf[write]!
      acknowledged[entry] = Math.max(acknowledged[entry]!, write)
    },
    entryOf: (write: number): number => entryOf[write]!,
    /** The latest write of an entry that was acknowledged by now. */
    latest: (entry: number): number => acknowledged[entry]!,
    /** The write that an absence at `now` is the outcome of: the latest if it has expired, else the last delete. */
    absence: (entry: number, now: number): number => {
      const latest = acknowledged[entry]!
      return expiresAt[latest]! <= now ? latest : removed[entry]!
    },
    /** Whether a read that saw `seen` was stale, `latest` being the latest acknowledged when it began. */
    isStale: (seen: number, latest: number): boolean => latest !== 0 && isOlder(seen, latest),
    /**
     * Milliseconds at `now` since the store of record was to have something newer than a stale read saw; 0 if that is yet
     * to come.
     */
    age: (entry: number, seen: number, now: number): number => {
      let age = 0
      for (let write = newest[entry]!; write > seen; write = before[write]!) {
        if (outcome[write] !== undefined && isOlder(seen, write)) age = Math.max(age, now - dueAt[write]!)
      }
      return age
    },
    /**
     * Acknowledged writes that nobody can see any more although no later one replaced them.
     *
     * @param visible the write that a read of the entry sees at the end
     */
    lost: (visible: (entry: number) => number): { readonly [K in Outcome]: number } => {
      const counts = { stored: 0, buffered: 0 }
      for (let write = 1; write <= issued; write++) {
        const as = outcome[write]
        if (as !== undefined && isOlder(visible(entryOf[write]!), write)) counts[as] += 1
      }
      return counts
    }
  }
}

export type Outcome = "stored" | "buffered"
