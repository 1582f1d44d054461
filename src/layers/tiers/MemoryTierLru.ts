import type * as Context from "effect/Context"
import * as Function from "effect/Function"
import * as Layer from "effect/Layer"
import { MemoryTier } from "../../services/tiers/MemoryTier.ts"
import { none, SlotTable } from "./internal/SlotTable.ts"
import * as slotTier from "./internal/slotTier.ts"

const recency = 0

/** Keeps what was asked for or written last, whatever its size and cost: the measure of every other policy. */
export const make = (capacityBytes: number): Context.Tag.Service<MemoryTier> => {
  const table = new SlotTable(1)
  const counts = { evictions: 0, rejections: 0 }

  let limit = capacityBytes

  const shrink = (now: number) => {
    while (table.listBytes[recency]! > limit) {
      const due = table.expiry.due(now)
      if (due === none) counts.evictions++
      table.remove(due === none ? table.last(recency) : due)
    }
  }

  return slotTier.make(capacityBytes, {
    table,
    counts,
    hit: (slot) => table.move(slot, recency),
    miss: Function.constVoid,
    asked: Function.constVoid,
    enter: Function.constVoid,
    place: (slot, now) => {
      table.push(slot, recency)
      shrink(now)
    },
    limit: (bytes, now) => {
      limit = bytes
      shrink(now)
    }
  })
}

export const layer = (capacityBytes: number): Layer.Layer<MemoryTier> =>
  Layer.sync(MemoryTier, () => make(capacityBytes))
