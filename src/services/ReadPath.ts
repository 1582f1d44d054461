import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Collection } from "./Collection.ts"
import type { Observation } from "./Entry.ts"
import type { Lookup, StoreError, Tier } from "./Store.ts"

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
}

/**
 * The way of a read through the tiers in front of the store of record: memory, edge, then one flight for all who ask,
 * each with its deadline and breaker; and what a write or a delete leaves in those tiers.
 */
export class ReadPath extends Context.Tag("larder/ReadPath")<
  ReadPath,
  {
    /**
     * `loadable`: `authority` can make the entry again, so staleness and grace apply beyond its own expiry.
     * A stuck or failing front tier is skipped; only `authority` can fail the read, and only when nothing within
     * grace is held.
     */
    readonly read: <E, R>(
      address: Address,
      authority: Effect.Effect<Answer, E, R>,
      loadable: boolean
    ) => Effect.Effect<Lookup, E | StoreError, R>
    /** The same for many keys: those that memory does not answer go to `authority` together. */
    readonly readMany: (
      addresses: ReadonlyArray<Address>,
      authority: (missing: ReadonlyArray<Address>) => Effect.Effect<ReadonlyArray<Answer>, StoreError>
    ) => Effect.Effect<ReadonlyArray<Lookup>, StoreError>
    /** What this isolate knows of a key without asking anyone. */
    readonly known: (address: Address, now: number) => Observation | undefined
    /** After a write or a delete was acknowledged: every later read here sees it, and loads under way are overtaken. */
    readonly remember: (address: Address, observation: Observation) => Effect.Effect<void>
    /** After an invalidation: what carries one of the tags and was read before `at` is no answer here any more. */
    readonly invalidate: (tags: ReadonlyArray<string>, at: number) => Effect.Effect<void>
    /** After a clear: nothing of the collection that was read before `at` is an answer here any more. */
    readonly forget: (collection: Collection, at: number) => Effect.Effect<void>
    /**
     * Takes the lease of a load: `overtaken()` turns true once the key was written, deleted or cleared here, or one of
     * the given tags invalidated, since. `release` must follow.
     */
    readonly lease: (address: Address) => {
      readonly overtaken: (tags: ReadonlyArray<string>) => boolean
      readonly release: () => void
    }
    readonly stats: () => ReadPathStats
  }
>() {}

export interface ReadPathStats {
  readonly reads: number
  /** Reads answered by each tier. */
  readonly answered: { readonly [T in Tier]: number }
  readonly stale: number
  readonly grace: number
  /** Front-tier calls that failed or passed their deadline. */
  readonly skipped: { readonly edge: number; readonly kv: number; readonly loader: number }
  readonly breakers: { readonly edge: string; readonly kv: string }
  readonly earlyRefreshes: number
}

