import type * as Context from "effect/Context"
import type { Observation } from "../../../services/store/model/Entry.ts"
import type { MemoryTier } from "../../../services/tiers/MemoryTier.ts"
import { SiblingRegion } from "./SiblingRegion.ts"
import type { SlotTable } from "./SlotTable.ts"

/**
 * Who stays and who goes. Whatever it does, the bytes on the lists of its table never pass the limit after `place` and
 * `limit`; the limit is the capacity until it is told otherwise.
 */
export interface Replacement {
  readonly table: SlotTable
  readonly hit: (slot: number) => void
  readonly miss: (id: string) => void
  /** An id that it does not hold was asked for, and answered by a sibling. */
  readonly asked: (id: string) => void
  /** A new id has this slot from now on. */
  readonly enter: (slot: number, id: string) => void
  /** The slot, filled anew and on no list, wants a place; `table.list` tells which list it was on. */
  readonly place: (slot: number, now: number) => void
  /** From now on it has so many bytes. */
  readonly limit: (bytes: number, now: number) => void
  readonly counts: { evictions: number; rejections: number }
}

/** A memory tier over a table of slots: what every replacement policy has in common. */
export const make = (
  capacityBytes: number,
  { asked, counts, enter, hit, limit, miss, place, table }: Replacement
): Context.Tag.Service<MemoryTier> => {
  const { expiry, index, observations } = table
  const largest = capacityBytes / 4
  let hits = 0
  let misses = 0
  const askedFor = () => table.listBytes.reduce((sum, bytes) => sum + bytes, 0)
  const siblings = new SiblingRegion(capacityBytes, () => ({ bytes: askedFor(), hits }))
  let siblingBytes = 0

  /** What the siblings do not take belongs to the others. */
  const share = (now: number): void => {
    if (siblings.bytes === siblingBytes) return
    siblingBytes = siblings.bytes
    limit(capacityBytes - siblingBytes, now)
  }

  const put = (id: string, observation: Observation, bytes: number, retainUntil: number, cost: number, now: number) => {
    let slot = index.get(id)
    if (slot === undefined) {
      slot = table.add(id)
      enter(slot, id)
    } else table.unlink(slot)
    table.fill(slot, observation, bytes, retainUntil, cost)
    place(slot, now)
  }

  const promoted = (id: string, now: number): Observation | undefined => {
    const sibling = siblings.take(id, now)
    share(now)
    if (sibling === undefined) return undefined
    hits++
    asked(id)
    put(id, sibling.observation, sibling.bytes, sibling.retainUntil, 1, now)
    return sibling.observation
  }

  return {
    get: (id, now) => {
      const slot = index.get(id)
      if (slot === undefined || expiry.at[slot]! <= now) {
        if (slot === undefined && siblings.entries > 0) {
          const sibling = promoted(id, now)
          if (sibling !== undefined) return sibling
        }
        misses++
        if (slot !== undefined) table.remove(slot)
        miss(id)
        return undefined
      }
      hits++
      hit(slot)
      return observations[slot]
    },
    peek: (id, now) => {
      const slot = index.get(id)
      if (slot === undefined) return siblings.entries === 0 ? undefined : siblings.peek(id, now)
      return expiry.at[slot]! <= now ? undefined : observations[slot]
    },
    set: (id, observation, { bytes, cost = 1, retainUntil }, now) => {
      if (siblingBytes > 0) {
        siblings.drop(id)
        siblings.settle(now)
        share(now)
      }
      const slot = index.get(id)
      const fits = bytes > 0 && bytes <= largest
      if (!fits) counts.rejections++
      if (!fits || !(retainUntil > now)) {
        if (slot !== undefined) table.remove(slot)
        return
      }
      put(id, observation, bytes, retainUntil, cost, now)
    },
    offer: (id, observation, { bytes, group, retainUntil }, now) => {
      const slot = index.get(id)
      if (slot === undefined || expiry.at[slot]! <= now) {
        if (slot !== undefined) table.remove(slot)
        siblings.offer(id, observation, bytes, retainUntil, group, now)
        share(now)
      } else if (Math.ceil(bytes) === table.bytes[slot]!) {
        observations[slot] = observation
        expiry.set(slot, Math.max(retainUntil, expiry.at[slot]!))
      } else if (bytes > 0 && bytes <= largest) put(id, observation, bytes, retainUntil, table.cost[slot]!, now)
      else table.remove(slot)
    },
    delete: (id) => {
      const slot = index.get(id)
      if (slot !== undefined) table.remove(slot)
      else if (siblings.entries > 0) siblings.drop(id)
    },
    clear: (prefix) => {
      for (const [id, slot] of index) if (id.startsWith(prefix)) table.remove(slot)
      siblings.clear(prefix)
    },
    stats: () => ({
      entries: index.size + siblings.entries,
      bytes: askedFor() + siblings.bytes,
      capacityBytes,
      hits,
      misses,
      ...counts,
      siblings: siblings.stats()
    })
  }
}
