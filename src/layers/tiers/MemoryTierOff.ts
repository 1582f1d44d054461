import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { MemoryTier } from "../../services/tiers/MemoryTier.ts"

/** Holds nothing; counts what it was asked for. */
export const make = (): Context.Tag.Service<MemoryTier> => {
  let misses = 0
  return {
    get: () => {
      misses++
      return undefined
    },
    peek: () => undefined,
    set: () => undefined,
    offer: () => undefined,
    delete: () => undefined,
    clear: () => undefined,
    stats: () => ({
      entries: 0,
      bytes: 0,
      capacityBytes: 0,
      hits: 0,
      misses,
      evictions: 0,
      rejections: 0,
      siblings: { entries: 0, bytes: 0, capacityBytes: 0, offered: 0, hits: 0, wasted: 0, declined: 0 }
    })
  }
}

export const layer: Layer.Layer<MemoryTier> = Layer.sync(MemoryTier, make)
