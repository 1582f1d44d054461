import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Entry, Stamp } from "../store/model/Entry.ts"
import type { Listed } from "./model/ShardListing.ts"
import type { Beside, ShardStats, ShardWrite, ShardWritten } from "./Shard.ts"

/**
 * - `Overloaded`: the object has too much to do; retrying makes it worse. `Unavailable`: it could not be reached, or
 *   failed; a resend may succeed. `Moving`: it is well, and takes no write to these ids until they have moved to another.
 *   `LeftOut`: not asked for, as the entries before it came to as many bytes as were wanted.
 */
export class DurableCacheError extends Data.TaggedError("DurableCacheError")<{
  readonly operation: "get" | "apply" | "lease" | "invalidateTags" | "list" | "clear" | "stats" | "operate"
  readonly reason: "Unavailable" | "Overloaded" | "Moving" | "LeftOut" | "Full"
  readonly cause?: unknown
}> {
  /** For the log. */
  readonly binding = "CACHE_DO"
}

/**
 * One of the two snapshots that are kept of each shard. `previous`: the one before the newest, or the one that can be read
 * where the other cannot. `readable`: of both, all that can be read, where neither can be as a whole.
 */
export type SavedGeneration = "newest" | "previous" | "readable"

/** What a reader who could load an absent id is told: the entry after all, or that the load is his, or that it is not. */
export type Leased =
  | { readonly _tag: "Found"; readonly entry: Entry }
  | { readonly _tag: "Granted"; readonly lease: number }
  | { readonly _tag: "Busy" }

/** What the shards that can be reached tell of themselves, and the objects of the others by name. */
export interface ShardsTold {
  readonly shards: ReadonlyArray<ShardStats>
  readonly missing: ReadonlyArray<string>
}

/** All shards as one: ids go to their shard by hash, one RPC per shard and call. Ids are `collection/key`. */
export class DurableCache extends Context.Tag("larder/DurableCache")<
  DurableCache,
  {
    /**
     * The living entries in the order asked, or why the shard of an id could not tell. Entries of `along` follow, as far
     * as they lie where one of the ids does and are small enough; undefined says nothing of those. No id stands in both.
     *
     * @param maxBytes of entries, after which no shard is asked for more: a reply holds 4 MB, or one entry
     * @param beside told of other living entries that lie in one page with those asked for, as they are then
     */
    readonly getMany: (
      ids: ReadonlyArray<string>,
      along?: ReadonlyArray<string>,
      maxBytes?: number,
      beside?: (found: ReadonlyArray<Beside>) => void
    ) => Effect.Effect<ReadonlyArray<Entry | undefined | DurableCacheError>>
    /**
     * For loading an absent id once across isolates. While another holder loads, waits in the shard for its fill, up
     * to `patience`, then `Busy`: load without a lease, and keep nothing. A lease lasts `patience` at most.
     */
    readonly lease: (id: string, patience: Duration.Duration) => Effect.Effect<Leased, DurableCacheError>
    /** Gives a lease back unused, so that the next who waits gets it. */
    readonly release: (id: string, lease: number) => Effect.Effect<void, DurableCacheError>
    /**
     * One result per write, in order; the writes of one shard are applied together, those of different ones are not.
     *
     * @param tries `first`: nobody has sent these before, so that they are ordered by their arrival if they come in time
     */
    readonly apply: (
      writes: ReadonlyArray<ShardWrite>,
      tries?: "first"
    ) => Effect.Effect<ReadonlyArray<ShardWritten | DurableCacheError>>
    /**
     * Acknowledged when every shard took it; safe to repeat. Gives the latest mark that a shard has set: at least the
     * stamp, and later than every version that shard had given before.
     */
    readonly invalidateTags: (tags: ReadonlyArray<string>, stamp: Stamp) => Effect.Effect<Stamp, DurableCacheError>
    /** Ids after `after` under a prefix, in UTF-8 byte order over all shards: see `pageOf`. */
    readonly list: (
      prefix: string,
      after: string | undefined,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Listed>, DurableCacheError>
    /** Ends all entries of a collection, `collection/`, in every shard, as `invalidateTags` does those of a tag. */
    readonly clear: (prefix: string, stamp: Stamp) => Effect.Effect<Stamp, DurableCacheError>
    readonly stats: Effect.Effect<ShardsTold>
    /** Writes what is dirty into KV now. How many shards wrote a snapshot. */
    readonly flush: Effect.Effect<number, DurableCacheError>
    /**
     * Merges a snapshot, the newest unless told otherwise, and the outbox into every shard, by version. How many rows were
     * taken in. Where a shard does not know what it held, that is from then on what it did.
     */
    readonly restore: (saved?: SavedGeneration) => Effect.Effect<number, DurableCacheError>
    /** Which object is asked for an id, as far as is known here. */
    readonly objectOf: (id: string) => string
    /** False for the layer that has no objects. */
    readonly enabled: boolean
  }
>() {}

/** All entries in the order asked; fails if any shard asked did. */
export const entriesOf = (
  durable: Pick<Context.Tag.Service<DurableCache>, "getMany">,
  ids: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Entry | undefined>, DurableCacheError> =>
  Effect.flatMap(durable.getMany(ids), (entries) =>
    Effect.forEach(entries, (entry) =>
      entry instanceof DurableCacheError ? Effect.fail(entry) : Effect.succeed(entry)
    )
  )

/** Fails unless every write arrived; whether one was overtaken there is as good. */
export const applyAll = (
  durable: Pick<Context.Tag.Service<DurableCache>, "apply">,
  writes: ReadonlyArray<ShardWrite>
): Effect.Effect<void, DurableCacheError> =>
  Effect.flatMap(durable.apply(writes), (results) => {
    const failed = results.find((result) => result instanceof DurableCacheError)
    return failed === undefined ? Effect.void : Effect.fail(failed)
  })
