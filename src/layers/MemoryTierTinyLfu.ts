import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { MemoryTier } from "../services/MemoryTier.ts"
import { Settings } from "../services/Settings.ts"
import { FrequencySketch, hashOf } from "./internal/FrequencySketch.ts"
import { none, SlotTable } from "./internal/SlotTable.ts"
import { WindowClimber } from "./internal/WindowClimber.ts"

/** The three lists of slots. Window and main have a byte budget each, so that neither ever takes from the other. */
const window = 0
const probation = 1
const protectedMain = 2

const protectedShare = 0.8
/** Entries of main that a candidate is compared with. */
const contestants = 8
/** An entry that costs nothing to lose still competes by frequency with its like. */
const leastCost = 1 / 64

/**
 * W-TinyLFU for entries of any size and cost. What is new enters a small window, ordered by recency; what leaves it is
 * a candidate for main. Main is a segmented LRU: an entry asked for while on probation becomes protected. When main is
 * full, the candidate and the least recent of main are compared by what a byte of them is worth,
 * `frequency * cost / bytes`, and the least worthy go until the rest fits; the candidate is often among them, which is
 * what keeps a scan out. The oldest survivor of a contest starts afresh, so that the next one finds others.
 *
 * Einziger, Friedman and Manes, TinyLFU (ACM TOS 2017); Einziger, Eytan, Friedman and Manes, Lightweight Robust Size
 * Aware Cache Management (ACM TOS 2022), whose rule of admission is replaced by GDSF's measure on a sample.
 *
 * @param seed of the hash that feeds the frequency sketch
 */
export const make = (capacityBytes: number, seed = 0): Context.Tag.Service<MemoryTier> => {
  const table = new SlotTable(3)
  const sketch = new FrequencySketch()
  const climber = new WindowClimber()
  const largest = capacityBytes / 4
  let windowMax = Math.floor(capacityBytes * climber.share)
  let mainMax = capacityBytes - windowMax
  let full = false
  let hits = 0
  let misses = 0
  let evictions = 0
  let rejections = 0

  const mainBytes = () => table.listBytes[probation]! + table.listBytes[protectedMain]!

  const worth = (slot: number) => (sketch.estimate(table.hash[slot]!) * table.cost[slot]!) / table.bytes[slot]!

  const record = (hit: boolean) => {
    if (full && climber.record(hit, table.index.size)) {
      windowMax = Math.floor(capacityBytes * climber.share)
      mainMax = capacityBytes - windowMax
    }
  }

  const promote = (slot: number) => {
    table.move(slot, protectedMain)
    const protectedMax = mainMax * protectedShare
    while (table.listBytes[protectedMain]! > protectedMax) table.move(table.last(protectedMain), probation)
  }

  /** The least recent slot of main after `slot`; `none` at the end. */
  const older = (slot: number): number => {
    const next = table.previous[slot]!
    if (next === protectedMain) return none
    return next === probation ? older(protectedMain) : next
  }

  /** The least worthy of the candidate and the least recent of main; of equals the least recent, and main's first. */
  const loserOf = (candidate: number): number => {
    let loser = candidate
    let least = candidate === none ? Number.POSITIVE_INFINITY : worth(candidate)
    let seen = 0
    for (let slot = older(probation); slot !== none && seen < contestants; slot = older(slot)) {
      if (slot === candidate) continue
      seen++
      const own = worth(slot)
      if (own < least || (own === least && loser === candidate)) {
        least = own
        loser = slot
      }
    }
    return loser
  }

  /** Brings main within its budget: first goes what has expired, then who loses a contest. */
  const shrinkMain = (candidate: number, now: number) => {
    while (mainBytes() > mainMax) {
      full = true
      const due = table.expiry.due(now)
      const oldest = older(probation)
      const loser = due === none ? loserOf(candidate) : due
      table.remove(loser)
      if (due === none) {
        if (loser === candidate) rejections++
        else evictions++
        if (oldest !== loser && oldest !== candidate) table.move(oldest, table.list[oldest]!)
      }
      if (loser === candidate) candidate = none
    }
  }

  const settle = (now: number) => {
    while (table.listBytes[window]! > windowMax) {
      const candidate = table.last(window)
      table.move(candidate, probation)
      shrinkMain(candidate, now)
    }
    while (mainBytes() > mainMax) {
      const oldest = older(probation)
      if (table.listBytes[window]! + table.bytes[oldest]! <= windowMax) {
        table.unlink(oldest)
        table.append(oldest, window)
      } else shrinkMain(none, now)
    }
  }

  return {
    get: (id, now) => {
      const slot = table.index.get(id)
      if (slot === undefined) {
        misses++
        sketch.add(hashOf(id, seed))
        record(false)
        return undefined
      }
      sketch.add(table.hash[slot]!)
      if (table.expiry.at[slot]! <= now) {
        misses++
        table.remove(slot)
        record(false)
        return undefined
      }
      hits++
      if (table.list[slot] === window) table.move(slot, window)
      else promote(slot)
      record(true)
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
      let list = window
      if (slot === undefined) {
        slot = table.add(id)
        table.hash[slot] = hashOf(id, seed)
        sketch.ensure(table.index.size)
      } else {
        list = table.list[slot]!
        table.unlink(slot)
      }
      table.fill(slot, observation, bytes, retainUntil, cost > leastCost ? cost : leastCost)
      if (list === window && bytes > windowMax) {
        table.push(slot, probation)
        shrinkMain(slot, now)
      } else table.push(slot, list)
      settle(now)
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

/** Each isolate hashes with a seed of its own. */
export const layer = (capacityBytes: number): Layer.Layer<MemoryTier> =>
  Layer.effect(
    MemoryTier,
    Effect.map(Random.nextInt, (seed) => make(capacityBytes, seed))
  )

export const layerSettings: Layer.Layer<MemoryTier, never, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, (settings) => layer(settings.memoryBytes))
)
