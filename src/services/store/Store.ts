import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type { Conditions } from "../base/model/Preconditions.ts"
import { type Collection, tagIn } from "./model/Collection.ts"
import { servableContentType } from "./model/ContentType.ts"
import type { Entry, Stamp } from "./model/Entry.ts"
import type { Accepts } from "./StoredForm.ts"

/** Who answered a read. */
export type Tier = "static" | "memory" | "edge" | "durable" | "kv" | "loader"

/**
 * - `Unavailable`: no tier could answer or take the write. `RateLimited`: KV took no write to this key just now.
 * - `DailyLimit`: the day's allowance is spent. `TooLarge`: over 25 MiB.
 * - `BadKey`: not a key KV would take. `BadCursor`: not a cursor that a page gave. `LoadFailed`: the loader failed to answer in time.
 * - `ReadOnly`: the collection is built in, and nobody can change it.
 * - `ConditionFailed`: the entry is not as the write's condition has it; nothing was changed. `NeedsDurableMode`: nobody
 *   can judge a condition where KV is the store of record. `NamedTwice`: a key with a condition has one change in a batch.
 * - `Undecodable`: a typed read met a value that its schema does not read, in a collection whose policy says `fail`.
 */
export type StoreReason =
  | "Unavailable"
  | "RateLimited"
  | "DailyLimit"
  | "TooLarge"
  | "Full"
  | "BadKey"
  | "BadCursor"
  | "LoadFailed"
  | "ReadOnly"
  | "ConditionFailed"
  | "NeedsDurableMode"
  | "NamedTwice"
  | "Undecodable"

export class StoreError extends Data.TaggedError("StoreError")<{
  readonly operation: "get" | "set" | "delete" | "list" | "invalidateTags" | "clear"
  readonly reason: StoreReason
  /** Seconds after which it is worth another try. */
  readonly retryAfter?: number
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.operation} failed: ${this.reason}`
  }
}

export interface Lookup {
  /** Undefined: there is none. */
  readonly entry: Entry | undefined
  readonly tier: Tier
  /** Milliseconds since the epoch when the authoritative tier gave this answer. */
  readonly readAt: number
  /**
   * `fresh`, `stale` (refreshed behind, or told in place of a store of record that could not be asked), or `grace` (the
   * refresh failed).
   */
  readonly freshness: "fresh" | "stale" | "grace"
  /** Milliseconds since the epoch until which the answering tier takes it for fresh. */
  readonly freshUntil: number
  /**
   * Of an entry that is stored compressed: the coding that its value here has, `identity` once decoded. Any other only
   * where the reader takes it: see `StoredForm`; the content type then says it, too (`codingOf`).
   */
  readonly coding?: string
}

export interface WriteOptions {
  /** `application/octet-stream` without it, and in place of one that no header can carry. */
  readonly contentType?: string
  /** Milliseconds; the collection's ttl without it. */
  readonly ttl?: number
  readonly tags?: ReadonlyArray<string>
  /** Of a collection written `behind`: flush at the end of this request. Default false. */
  readonly urgent?: boolean
}

/** What a loader brings. Its bytes are the store's from then on. */
export interface Loaded extends WriteOptions {
  readonly value: Readonly<Uint8Array>
}

export interface Conditional {
  /**
   * What must hold for the change to be made, judged by the store of record together with making it. `{ ifMatch: tag }`:
   * the entry is still the one with this {@link entityTag}; `{ ifNoneMatch: "*" }`: there is none. Such a change is made
   * once or not at all, and only by the object of its key: it fails with `Unavailable` while that is out of reach, and
   * then may have been made.
   */
  readonly condition?: Conditions
}

export interface Write extends WriteOptions, Conditional {
  readonly key: string
  readonly value: Readonly<Uint8Array>
}

export interface Removal extends Conditional {
  readonly key: string
  readonly remove: true
}

/** What is to become of one key. */
export type Change = Write | Removal

/**
 * `stored`: the store of record took it. `outside`: kept outside its shard until adopted. `buffered`: in memory
 * until the next flush.
 */
export type Acknowledgement = "stored" | "outside" | "buffered"

export interface Written {
  readonly stamp: Stamp
  readonly acknowledged: Acknowledgement
  /** Whether this isolate knew of a live entry under the key before. */
  readonly replaced: boolean
  /** Of a removal, the moment it was asked for. */
  readonly expiresAt: number
}

export interface Listed {
  readonly key: string
  /** Milliseconds since the epoch; `Infinity` for never. */
  readonly expiresAt: number
  /** Of tags that are kept as hashes, those: see `isHashedTag`. */
  readonly tags: ReadonlyArray<string>
}

/** What an isolate did by itself on the way to the store of record, since it began. */
export interface StoreStats {
  /** By media type, as far as values of collections with `compress` were written here. */
  readonly compression?: {
    readonly [mediaType: string]: {
      readonly values: number
      readonly kept: number
      readonly bytesIn: number
      readonly bytesOut: number
    }
  }
  /** Of the tables that a store in front answers from, if there is one. */
  readonly static?: object
  /** Writes left out because the store of record held the same already. */
  readonly unchangedWrites: number
  /** By packed collection, as far as this isolate has used it. */
  readonly pages: {
    readonly [collection: string]: {
      readonly reads: number
      readonly writes: number
      /** Entries that page writes carried. */
      readonly rows: number
      /** Pages that were split. */
      readonly splits: number
      /** Entries that were written again, because a page had lost them. */
      readonly healed: number
      /** Entries that were given a KV key of their own. */
      readonly extracted: number
    }
  }
}

/**
 * What programs and HTTP use. One logical operation each; how many physical ones it takes is the layer's business.
 * Keys are any text that KV itself would take; others fail with `BadKey`.
 */
export class Store extends Context.Tag("larder/Store")<
  Store,
  {
    /**
     * The answer of `get` where isolate memory has it fresh, at once and without a fiber; undefined where `get` must
     * be asked. `now` in milliseconds since the epoch; `session` and `accepts` as in `Session` and `StoredForm`, which
     * nobody can look up here.
     */
    readonly held: (
      collection: Collection,
      key: string,
      now: number,
      session?: string,
      accepts?: Accepts
    ) => Lookup | undefined
    readonly get: (collection: Collection, key: string) => Effect.Effect<Lookup, StoreError>
    /**
     * One result per key, in the order asked; the keys that no tier near holds travel together. What could not be found
     * out of one key fails that key alone.
     *
     * @param maxBytes of values that are read from the store of record, and about as many again from each of its parts:
     *   the keys that are left then fail as `Unavailable`, and one key at least does not. Default: all
     */
    readonly getMany: (
      collection: Collection,
      keys: ReadonlyArray<string>,
      maxBytes?: number
    ) => Effect.Effect<ReadonlyArray<StoreResult<Lookup>>>
    /**
     * The entry, or what `load` makes of its absence: one run for all who ask at once, kept for the collection's ttl.
     * A load that a write, a delete or an invalidation has overtaken is answered but not kept. `none` is remembered
     * for `negativeTtl`. On failure an entry within `graceFor` is served instead.
     */
    readonly getOrLoad: <E, R>(
      collection: Collection,
      key: string,
      load: Effect.Effect<Option.Option<Loaded>, E, R>
    ) => Effect.Effect<Lookup, StoreError | E, R>
    readonly set: (
      collection: Collection,
      key: string,
      value: Readonly<Uint8Array>,
      options?: WriteOptions & Conditional
    ) => Effect.Effect<Written, StoreError>
    /**
     * Writes and removals, together. One result per change, in the order given; not atomic. Of several changes of one
     * key the last counts, and each is answered with its result.
     */
    readonly writeMany: (
      collection: Collection,
      changes: ReadonlyArray<Change>
    ) => Effect.Effect<ReadonlyArray<StoreResult<Written>>>
    readonly delete: (
      collection: Collection,
      key: string,
      options?: Conditional
    ) => Effect.Effect<Acknowledgement, StoreError>
    /** Keys in UTF-8 byte order, up to `limit` (1 to 1,000) a page; a page may be empty and still have a cursor. */
    readonly list: (
      collection: Collection,
      options: { readonly prefix?: string; readonly cursor?: string; readonly limit?: number }
    ) => Effect.Effect<{ readonly keys: ReadonlyArray<Listed>; readonly cursor: string | undefined }, StoreError>
    /**
     * Makes every entry with one of the tags an absence. `boundMillis`: how long other isolates and locations may
     * still answer with what they hold.
     */
    readonly invalidateTags: (
      tags: ReadonlyArray<string>
    ) => Effect.Effect<{ readonly boundMillis: number }, StoreError>
    /**
     * Ends the collection's entries; not `complete` when there were more than one invocation may delete. `deleted`: how
     * many, where they are deleted one by one.
     */
    readonly clear: (
      collection: Collection
    ) => Effect.Effect<{ readonly deleted?: number; readonly complete: boolean }, StoreError>
    readonly stats?: () => Partial<StoreStats>
  }
>() {}

/** A per-key outcome in a batch. */
export type StoreResult<A> =
  | { readonly _tag: "Done"; readonly value: A }
  | { readonly _tag: "Failed"; readonly error: StoreError }

/** Changes of one key and of many, all made as those of many are. */
export const changesBy = (
  writeMany: Store["Type"]["writeMany"]
): Pick<Store["Type"], "set" | "writeMany" | "delete"> => ({
  set: (collection, key, value, options = {}) =>
    Effect.flatMap(writeMany(collection, [{ ...options, key, value }]), onlyOne),
  writeMany,
  delete: (collection, key, options = {}) =>
    Effect.map(
      Effect.flatMap(writeMany(collection, [{ ...options, key, remove: true }]), onlyOne),
      ({ acknowledged }) => acknowledged
    )
})

/** The value of a batch of one, or its failure. */
export const onlyOne = <A>(results: ReadonlyArray<StoreResult<A>>): Effect.Effect<A, StoreError> =>
  Effect.map(allOf(results), ([value]) => value!)

/** All values, or the first failure. */
export const allOf = <A>(results: ReadonlyArray<StoreResult<A>>): Effect.Effect<ReadonlyArray<A>, StoreError> =>
  Effect.forEach(results, (result) =>
    result._tag === "Done" ? Effect.succeed(result.value) : Effect.fail(result.error)
  )

/** An outcome as a batch reports it. */
export const resultOf = <A>(outcome: Either.Either<A, StoreError>): StoreResult<A> =>
  Either.isRight(outcome) ? { _tag: "Done", value: outcome.right } : { _tag: "Failed", error: outcome.left }

/** The entry that a write makes: the collection's tags first, its ttl where the write names none. */
export const entryOf = (
  collection: Collection,
  value: Readonly<Uint8Array>,
  options: WriteOptions,
  stamp: Stamp,
  now: number,
  loadMillis = 0
): Entry => ({
  value,
  contentType: servableContentType(options.contentType),
  tags: [...new Set([...collection.policy.tags, ...(options.tags ?? [])])].map((tag) => tagIn(collection, tag)),
  stamp,
  expiresAt: now + (options.ttl ?? collection.millis.ttl),
  loadMillis
})
