import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MemoryTier } from "../services/MemoryTier.ts"
import { Settings } from "../services/Settings.ts"
import { none, SlotTable } from "./internal/SlotTable.ts"

const recency = 0

/** Keeps what was asked for last, whatever its size and cost. What every other policy is measured against. */
export const make = (capacityBytes: number): Context.Tag.Service<MemoryTier> => {
  const table = new SlotTable(1)
  const largest = capacityBytes / 4
  let hits = 0
  let misses = 0
  let evictions = 0
  let rejections = 0

  const shrink = (now: number) => {
    while (table.totalBytes > capacityBytes) {
      const due = table.expiry.due(now)
      if (due === none) evictions++
      table.remove(due === none ? table.last(recency) : due)
    }
  }

  return {
    get: (id, now) => {
      const slot = table.index.get(id)
      if (slot === undefined) {
        misses++
        return undefined
      }
      if (table.expiry.at[slot]! <= now) {
        misses++
        table.remove(slot)
        return undefined
      }
      hits++
      table.move(slot, recency)
      return table.observations[slot]
    },
    peek: (id, now) => {
      const slot = table.index.get(id)
      return slot === undefined || table.expiry.at[slot]! <= now ? undefined : table.observations[slot]
    },
    set: (id, observation, { bytes, cost = 1, retainUntil }, now) => {
      let slot = table.index.get(id)
      const fits = bytes > 0 && bytes <= largest
      if (!fits) rejections++
      if (!fits || !(retainUntil > now)) {
        if (slot !== undefined) table.remove(slot)
        return
      }
      if (slot === undefined) slot = table.add(id)
      else table.unlink(slot)
      table.fill(slot, observation, bytes, retainUntil, cost)
      table.push(slot, recency)
      shrink(now)
    },
    delete: (id) => {
      const slot = table.index.get(id)
      if (slot !== undefined) table.remove(slot)
    },
    clear: (prefix) => {
      for (const [id, slot] of table.index) if (id.startsWith(prefix)) table.remove(slot)
    },
    stats: () => ({
      entries: table.index.size,
      bytes: table.totalBytes,
      capacityBytes,
      hits,
      misses,
      evictions,
      rejections
    })
  }
}

export const layer = (capacityBytes: number): Layer.Layer<MemoryTier> =>
  Layer.sync(MemoryTier, () => make(capacityBytes))

export const layerSettings: Layer.Layer<MemoryTier, never, Settings> = Layer.effect(
  MemoryTier,
  Effect.map(Settings, (settings) => make(settings.memoryBytes))
)
