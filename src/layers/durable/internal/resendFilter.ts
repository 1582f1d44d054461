import type { ShardWrite } from "../../../services/durable/Shard.ts"

/** Longer than any first try can count as one: the longest deadline, and what clocks may differ. */
const rememberedMillis = 30_000

/**
 * A first try is ordered by its arrival, so it must count as first once: one that arrives after its own resend, or
 * twice, counts as a resend. In memory only: no call outlives the object that it was sent to.
 */
export const makeResendFilter = () => {
  const arrived = new Map<string, number>()

  return (writes: ReadonlyArray<ShardWrite>, now: number): ReadonlyArray<ShardWrite> => {
    for (const [key, at] of arrived) {
      if (now - at < rememberedMillis) break
      arrived.delete(key)
    }
    return writes.map((write) => {
      const { firstUntil, id, stamp } = write
      const key = `${stamp.wall}.${stamp.counter}.${stamp.writer}/${id}`
      const known = arrived.has(key)
      if (!known) arrived.set(key, now)
      if (!known || firstUntil === undefined) return write
      const { firstUntil: _, ...again } = write
      return again
    })
  }
}
