import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Collection } from "../store/model/Collection.ts"
import type { Observation, Stamp } from "../store/model/Entry.ts"
import { type Lookup, StoreError, type StoreResult, type Tier } from "../store/Store.ts"

/** One entry's name in the tiers in front of the store of record. */
export interface Address {
  readonly collection: Collection
  readonly key: string
  /** `collection/key`: the id in memory and edge. */
  readonly id: string
}

export const addressOf = (collection: Collection, key: string): Address => ({
  collection,
  key,
  id: `${collection.name}/${key}`
})

/** An answer of the store of record or of a loader. */
export interface Answer {
  readonly observation: Observation
  readonly tier: Tier
  /** False for what must not be kept: a load that a write has overtaken, an answer in place of the store of record. */
  readonly keep: boolean
  /** Set on what is told in place of a store of record that could not be asked: the latest that is known elsewhere. */
  readonly stale?: true
}

/** What the store of record says of a key: its entry, that there is none, or why it cannot tell. */
export type Outcome = Answer | StoreError

/**
 * An answer as a reader who cannot load it again sees it: past its own expiry, an entry is none. What a stale one is
 * now, nobody can tell.
 */
export const living = (answer: Answer, now: number): Outcome => {
  const { entry } = answer.observation
  if (entry === undefined || now < entry.expiresAt) return answer
  return answer.stale
    ? new StoreError({ operation: "get", reason: "Unavailable", retryAfter: 5 })
    : { ...answer, observation: { ...answer.observation, entry: undefined } }
}

/** Where a read goes when no tier in front answers. */
export interface ReadSource<E, R> {
  /** Asks the store of record. */
  readonly authority: Effect.Effect<Answer, StoreError>
  /** Makes the entry anew when the store of record has none, or an old one. */
  readonly load?: Effect.Effect<Answer, E, R>
  /** Where no tier stands in front, nobody is content with an asking that was under way before his own. */
  readonly afresh?: boolean
}

/** The right of one read or load to keep what it brings. */
export interface Lease {
  /** Whether the key was written, deleted or cleared here, or one of the tags invalidated, since the lease was taken. */
  readonly overtaken: (tags: ReadonlyArray<string>) => boolean
  /** What the last write, delete or clear that overtook it left under the key, where that is known. */
  readonly leftBehind: () => Observation | undefined
  readonly release: () => void
}

/**
 * The way of a read through the tiers in front of the store of record: memory, edge, then one flight for all who ask,
 * each with its deadline and breaker; and what a write or a delete leaves in those tiers.
 */
export class ReadPath extends Context.Tag("larder/ReadPath")<
  ReadPath,
  {
    /** What memory answers fresh, synchronously; counted as a read only where it does. */
    readonly held: (address: Address, now: number) => Lookup | undefined
    /**
     * A stuck or failing front tier is skipped; a failing store of record is skipped when there is a loader. Fails
     * only when nobody answered and nothing within grace is held.
     */
    readonly read: <E = never, R = never>(
      address: Address,
      source: ReadSource<E, R>
    ) => Effect.Effect<Lookup, E | StoreError, R>
    /**
     * The same for many keys of one collection: those that no tier in front answers go to `authority` together. What it
     * cannot tell of one key fails that key alone.
     */
    readonly readMany: (
      addresses: ReadonlyArray<Address>,
      authority: (missing: ReadonlyArray<Address>) => Effect.Effect<ReadonlyArray<Outcome>>
    ) => Effect.Effect<ReadonlyArray<StoreResult<Lookup>>>
    /** What this isolate holds of a key, if that is still an answer. Asks nobody. */
    readonly known: (address: Address, now: number) => Observation | undefined
    /**
     * What the store of record said of an entry that nobody asked for, on its way with one that was: a neighbour from
     * a packed page, a prediction. Kept among the memory tier's siblings, unless memory knows better. `group`: whose
     * usefulness it is judged by; the collection without it.
     */
    readonly offer: (address: Address, observation: Observation, now: number, group?: string) => void
    /** After a write or a delete was acknowledged: later reads here see it; reads and loads under way are overtaken. */
    readonly remember: (address: Address, observation: Observation) => Effect.Effect<void>
    /** After a write whose outcome is unknown: the next read must ask the store of record. */
    readonly drop: (address: Address) => Effect.Effect<void>
    /** What carries one of the tags and is older than the stamp is no answer here any more. */
    readonly invalidate: (tags: ReadonlyArray<string>, stamp: Stamp) => void
    /** Nothing of the collection that was read until `at` (milliseconds) is an answer here any more. */
    readonly forget: (collection: Collection, at: number) => void
    /** Taken before a load begins. */
    readonly lease: (address: Address, stamp: Stamp) => Lease
    readonly stats: () => ReadPathStats
  }
>() {}

export interface ReadPathStats {
  readonly reads: number
  /** Reads answered by each tier. */
  readonly answered: { readonly [T in Tier]: number }
  readonly byCollection: { readonly [collection: string]: { readonly [T in Tier]: number } }
  readonly stale: number
  readonly grace: number
  /** Edge cache calls that failed, passed their deadline, or were not made because the breaker was open. */
  readonly edgeSkipped: number
  readonly edgeBreaker: "closed" | "open" | "half-open"
  /** Fills that a write had overtaken. */
  readonly overtaken: number
  readonly earlyRefreshes: number
}
