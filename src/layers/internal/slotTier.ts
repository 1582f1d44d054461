import type * as Context from "effect/Context"
import type { MemoryTier } from "../../services/MemoryTier.ts"
import type { SlotTable } from "./SlotTable.ts"

/** Who stays and who goes. Whatever it does, the bytes on the lists of its table never pass the capacity after `place`. */
export interface Replacement {
  readonly table: SlotTable
  readonly hit: (slot: number) => void
  readonly miss: (id: string) => void
  /** A new id has this slot from now on. */
  readonly enter: (slot: number, id: string) => void
  /** The slot, filled anew and on no list, wants a place; `table.list` tells which list it was on. */
  readonly place: (slot: number, now: number) => void
  readonly counts: { evictions: number; rejections: number }
}

/** A memory tier over a table of slots: what every replacement policy has in common. */
export const make = (
  capacityBytes: number,
  { counts, enter, hit, miss, place, table }: Replacement
): Context.Tag.Service<MemoryTier> => {
  const { expiry, index, observations } = table
  const largest = capacityBytes / 4
  let hits = 0
  let misses = 0

  return {
    get: (id, now) => {
      const slot = index.get(id)
      if (slot === undefined || expiry.at[slot]! <= now) {
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
      return slot === undefined || expiry.at[slot]! <= now ? undefined : observations[slot]
    },
    set: (id, observation, { bytes, cost = 1, retainUntil }, now) => {
      let slot = index.get(id)
      const fits = bytes > 0 && bytes <= largest
      if (!fits) counts.rejections++
      if (!fits || !(retainUntil > now)) {
        if (slot !== undefined) table.remove(slot)
        return
      }
      if (slot === undefined) {
        slot = table.add(id)
        enter(slot, id)
      } else table.unlink(slot)
      table.fill(slot, observation, bytes, retainUntil, cost)
      place(slot, now)
    },
    delete: (id) => {
      const slot = index.get(id)
      if (slot !== undefined) table.remove(slot)
    },
    clear: (prefix) => {
      for (const [id, slot] of index) if (id.startsWith(prefix)) table.remove(slot)
    },
    stats: () => ({
      entries: index.size,
      bytes: table.listBytes.reduce((sum, bytes) => sum + bytes, 0),
      capacityBytes,
      hits,
      misses,
      ...counts
    })
  }
}
