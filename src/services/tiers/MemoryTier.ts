import * as Context from "effect/Context"
import type { Observation } from "../store/model/Entry.ts"

/** What isolate memory is made of, in one figure each. */
export interface MemoryTierStats {
  readonly entries: number
  readonly bytes: number
  readonly capacityBytes: number
  readonly hits: number
  readonly misses: number
  readonly evictions: number
  /** Values refused: larger than a quarter of the capacity, or less wanted than what they would displace. */
  readonly rejections: number
  readonly siblings: SiblingStats
}

/** Entries that nobody has asked for yet: neighbours from a packed page, predictions. Part of the tier's figures. */
export interface SiblingStats {
  readonly entries: number
  readonly bytes: number
  /** What they may take of the tier's capacity at most; what they do not take belongs to the others. */
  readonly capacityBytes: number
  /** Entries taken in. */
  readonly offered: number
  /** Those of them that were asked for while they were held. */
  readonly hits: number
  /** Those that left without: expired, displaced, overwritten. */
  readonly wasted: number
  /** Offers turned away because their group's siblings, or all of them, are hardly ever asked for. */
  readonly declined: number
}

/**
 * Isolate memory, bounded by bytes. Plain synchronous functions with the clock passed in (milliseconds), because a
 * hit must cost nothing but its answer; callers wrap them once.
 */
export class MemoryTier extends Context.Tag("larder/MemoryTier")<
  MemoryTier,
  {
    /** What is held for the id, fresh or not, while `retainUntil` lies ahead. Counts as one access. */
    readonly get: (id: string, now: number) => Observation | undefined
    /** The same without counting an access or moving anything. */
    readonly peek: (id: string, now: number) => Observation | undefined
    /**
     * Offers an observation. `retainUntil`: when it is of no use any more, and goes first. `cost`: KV operations that
     * losing it would cost (1 for a KV-backed entry, less where a cheaper tier has it): the weight per byte.
     */
    readonly set: (
      id: string,
      observation: Observation,
      options: { readonly bytes: number; readonly retainUntil: number; readonly cost?: number },
      now: number
    ) => void
    /**
     * Offers an entry that nobody asked for. What is held of the id as asked-for is replaced in place; anything else
     * goes to the siblings, which have a share of the memory of their own, and leaves them on its first `get`.
     * `group`: whose usefulness it is judged by.
     */
    readonly offer: (
      id: string,
      observation: Observation,
      options: { readonly bytes: number; readonly retainUntil: number; readonly group: string },
      now: number
    ) => void
    readonly delete: (id: string) => void
    /** Drops every id that begins with the prefix; all of them for `""`. */
    readonly clear: (prefix: string) => void
    readonly stats: () => MemoryTierStats
  }
>() {}

/**
 * Bytes that an entry takes of an isolate's memory besides its value and two a character of its key: the objects of the
 * observation, its version and its buffer, and its rows in map, lists and heap. Measured as 594 to 624 at values of 50 B,
 * 1 KB and 100 KB (`node --expose-gc --import tsx bench/entryBytes.ts`, Node 20).
 */
export const overheadBytes = 600

/** The memory tier's own accounting, used for the budget and for `--memory N%`: UTF-16 key, value, fixed overhead. */
export const slotBytes = (id: string, valueBytes: number): number => id.length * 2 + valueBytes + overheadBytes
