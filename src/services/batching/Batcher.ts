import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { KvError } from "../kv/Kv.ts"
import type { Collection } from "../store/model/Collection.ts"
import type { Entry, Observation, Stamp } from "../store/model/Entry.ts"
import type { Address } from "../tiers/ReadPath.ts"

/** A write on its way to the store of record. */
export interface StampedWrite {
  readonly address: Address
  /** Undefined: a delete. */
  readonly entry: Entry | undefined
  readonly stamp: Stamp
}

/** What the store of record says of a key, or why it cannot tell. */
export type ReadOutcome = Observation | KvError

/** Asks the store of record for many keys in as few calls as it takes. One outcome each, in the order asked. */
export type ReadMany = (addresses: ReadonlyArray<Address>) => Effect.Effect<ReadonlyArray<ReadOutcome>>

/** Writes to the store of record. One error, or undefined, each, in the order given. `now` in milliseconds. */
export type WriteMany = (
  writes: ReadonlyArray<StampedWrite>,
  now: number
) => Effect.Effect<ReadonlyArray<KvError | undefined>>

/** `demand`: somebody waits for it, so it goes in the first call. `prefetch`: it may go in a later one. */
export type ReadPriority = "demand" | "prefetch"

/** What became of one write. */
export type WriteOutcome =
  | { readonly acknowledged: "stored" | "buffered"; readonly error?: undefined }
  | { readonly error: KvError }

/**
 * Which of the buffered writes: those that have waited long enough (none while what is left of the budget for writes is
 * reserved), all of them, or all of one collection.
 */
export type Flush = "due" | "all" | Collection

export interface Flushed {
  readonly flushed: number
  /** Kept for the next occasion. */
  readonly kept: number
}

export interface BufferStats {
  /** Writes that the store of record has not taken yet. */
  readonly buffered: number
  readonly bytes: number
  /** Milliseconds since the epoch since when the oldest waits; undefined for none. */
  readonly oldestAt: number | undefined
  /** Milliseconds since the epoch of the last write that the store of record took; undefined for none by this isolate. */
  readonly writtenAt: number | undefined
}

export interface BatcherStats {
  /** Reads asked for, and the calls that they became. */
  readonly reads: {
    readonly asked: number
    readonly deduplicated: number
    readonly batches: number
    readonly largest: number
  }
  readonly writes: {
    readonly asked: number
    readonly stored: number
    /** Overtaken by a later write to their key before they were written. */
    readonly coalesced: number
    readonly batches: number
    readonly largest: number
    readonly failed: number
  }
  readonly byCollection: ReadonlyMap<string, BufferStats>
}

/**
 * Makes few operations of many. Reads that one invocation asks for in one tick become one; writes to one key become
 * its last. Only within an invocation does anybody wait for another: an isolate's requests share the buffer of
 * collections that are written `behind`, and nothing else.
 *
 * A reference: without a layer every operation goes its own way, and nothing is buffered.
 */
export class Batcher extends Context.Reference<Batcher>()("larder/Batcher", {
  defaultValue: (): BatcherService => off
}) {}

export interface BatcherService {
  readonly read: (
    addresses: ReadonlyArray<Address>,
    via: ReadMany,
    priority?: ReadPriority
  ) => Effect.Effect<ReadonlyArray<ReadOutcome>>
  /**
   * One outcome per write, in the order given. `through`: once the store of record took it. `behind`: at once, unless
   * the buffer is full; flushed when its collection's `flushEvery` has passed, the buffer is large, or one is `urgent`.
   */
  readonly write: (
    writes: ReadonlyArray<StampedWrite>,
    via: WriteMany,
    options?: { readonly urgent?: boolean }
  ) => Effect.Effect<ReadonlyArray<WriteOutcome>>
  /** The buffered write to the key, on its way or not. */
  readonly pending: (address: Address) => StampedWrite | undefined
  /** Forgets the buffered writes of the collection; how many entries they would have left. */
  readonly discard: (collection: Collection) => number
  /** Whether some buffered write has waited long enough. `now` in milliseconds. */
  readonly isDue: (now: number) => boolean
  /** Never fails: what the store of record did not take stays buffered. */
  readonly flush: (which: Flush) => Effect.Effect<Flushed>
  readonly stats: () => BatcherStats
}

const nothing: BatcherStats = {
  reads: { asked: 0, deduplicated: 0, batches: 0, largest: 0 },
  writes: { asked: 0, stored: 0, coalesced: 0, batches: 0, largest: 0, failed: 0 },
  byCollection: new Map()
}

/** Every operation by itself. */
export const off: BatcherService = {
  read: (addresses, via) => via(addresses),
  write: (writes, via) =>
    Effect.flatMap(
      Effect.clockWith((clock) => clock.currentTimeMillis),
      (now) => Effect.map(via(writes, now), outcomesOf)
    ),
  pending: () => undefined,
  discard: () => 0,
  isDue: () => false,
  flush: () => Effect.succeed({ flushed: 0, kept: 0 }),
  stats: () => nothing
}

/** Outcomes of writes that went straight to the store of record. */
export const outcomesOf = (errors: ReadonlyArray<KvError | undefined>): ReadonlyArray<WriteOutcome> =>
  errors.map((error) => (error === undefined ? { acknowledged: "stored" } : { error }))
