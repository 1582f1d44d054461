import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { MemoryTier } from "../../services/tiers/MemoryTier.ts"
import { FrequencySketch, hashOf } from "./FrequencySketch.ts"
import { none, SlotTable } from "./internal/SlotTable.ts"
import * as slotTier from "./internal/slotTier.ts"
import { WindowClimber } from "./internal/WindowClimber.ts"

const window = 0
const probation = 1
const protectedMain = 2

const protectedShare = 0.8
/** Entries of main that a candidate is compared with. */
const contestants = 8

/**
 * W-TinyLFU for entries of any size and cost. What is new enters a window, ordered by recency; what the window has no
 * room for is a candidate for main. Main is a segmented LRU: an entry asked for while on probation becomes protected.
 * When main is full, the candidate and the least recent of main are compared by what a byte of them is worth,
 * `frequency * cost / bytes`, and the least worthy go until the rest fits; the candidate is often among them, which
 * keeps scans out. The oldest survivor of a contest starts afresh, so that the next one finds others. Window and main
 * have a budget each, or every odd byte in the window would take its room from main without a contest.
 *
 * Einziger, Friedman and Manes, TinyLFU (ACM TOS 2017); Einziger, Eytan, Friedman and Manes, Lightweight Robust Size
 * Aware Cache Management (ACM TOS 2022). Worth by the byte is GDSF's (Cherkasova 1998); docs/decisions has the figures.
 *
 * @param seed of the hash that feeds the frequency sketch
 */
export const make = (capacityBytes: number, seed = 0): Context.Tag.Service<MemoryTier> => {
  const table = new SlotTable(3)
  const sketch = new FrequencySketch()
  const climber = new WindowClimber()
  const counts = { evictions: 0, rejections: 0 }
  let limit = capacityBytes
  let windowMax = Math.floor(limit * climber.share)
  let mainMax = limit - windowMax
  let full = false

  const mainBytes = () => table.listBytes[probation]! + table.listBytes[protectedMain]!

  const worth = (slot: number) => (sketch.estimate(table.hash[slot]!) * table.cost[slot]!) / table.bytes[slot]!

  const record = (hit: boolean) => {
    if (full && climber.record(hit, table.index.size)) divide()
  }

  const divide = () => {
    windowMax = Math.floor(limit * climber.share)
    mainMax = limit - windowMax
  }

  const promote = (slot: number) => {
    table.move(slot, protectedMain)
    const protectedMax = mainMax * protectedShare
    while (table.listBytes[protectedMain]! > protectedMax) table.move(table.last(protectedMain), probation)
  }

  /** The next of main on the way from the least recent to the most, on probation first; `none` at the end. */
  const younger = (slot: number): number => {
    const next = table.previous[slot]!
    if (next === protectedMain) return none
    return next === probation ? younger(protectedMain) : next
  }

  /** The least worthy of the candidate and the least recent of main; of equals the youngest, so that a loop is not chased. */
  const loserOf = (candidate: number): number => {
    let loser = candidate
    let least = candidate === none ? Number.POSITIVE_INFINITY : worth(candidate)
    let seen = 0
    for (let slot = younger(probation); slot !== none && seen < contestants; slot = younger(slot)) {
      if (slot === candidate) continue
      seen++
      const own = worth(slot)
      if (own <= least) {
        least = own
        loser = slot
      }
    }
    return loser
  }

  /** Brings main within its budget: what has expired goes first, then who loses a contest. */
  const shrinkMain = (challenger: number, now: number) => {
    let candidate = challenger
    while (mainBytes() > mainMax) {
      full = true
      const oldest = younger(probation)
      const due = table.expiry.due(now)
      const loser = due === none ? loserOf(candidate) : due
      table.remove(loser)
      if (due === none) {
        if (loser === candidate) counts.rejections++
        else counts.evictions++
        if (oldest !== loser && oldest !== candidate) table.move(oldest, table.list[oldest]!)
      }
      if (loser === candidate) candidate = none
    }
  }

  /** Brings both within their budgets; where the window's has grown, it takes over the oldest of main. */
  const settle = (now: number) => {
    while (table.listBytes[window]! > windowMax) {
      const candidate = table.last(window)
      table.move(candidate, probation)
      shrinkMain(candidate, now)
    }
    while (mainBytes() > mainMax) {
      const oldest = younger(probation)
      if (table.listBytes[window]! + table.bytes[oldest]! <= windowMax) {
        table.unlink(oldest)
        table.append(oldest, window)
      } else shrinkMain(none, now)
    }
  }

  return slotTier.make(capacityBytes, {
    table,
    counts,
    hit: (slot) => {
      sketch.add(table.hash[slot]!)
      if (table.list[slot] === window) table.move(slot, window)
      else promote(slot)
      record(true)
    },
    miss: (id) => {
      sketch.add(hashOf(id, seed))
      record(false)
    },
    asked: (id) => sketch.add(hashOf(id, seed)),
    enter: (slot, id) => {
      table.hash[slot] = hashOf(id, seed)
      sketch.ensure(table.index.size)
    },
    place: (slot, now) => {
      const list = table.list[slot]!
      if (list === window && table.bytes[slot]! > windowMax) {
        table.push(slot, probation)
        shrinkMain(slot, now)
      } else table.push(slot, list)
      settle(now)
    },
    limit: (bytes, now) => {
      limit = bytes
      divide()
      settle(now)
    }
  })
}

/** Every isolate hashes with a seed of its own. */
export const layer = (capacityBytes: number): Layer.Layer<MemoryTier> =>
  Layer.effect(
    MemoryTier,
    Effect.map(Random.nextInt, (seed) => make(capacityBytes, seed))
  )
