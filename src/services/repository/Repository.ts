import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type { StoreError, StoreResult, Written } from "../store/Store.ts"
import type { DecodeError, TypedCollection } from "./model/TypedCollection.ts"

/** As in `WriteOptions`, but for the content type, which the collection gives. */
export interface RecordOptions {
  /** Milliseconds; the collection's ttl without it. */
  readonly ttl?: number
  readonly tags?: ReadonlyArray<string>
}

export interface RecordWrite<K, V> extends RecordOptions {
  readonly key: K
  readonly value: V
}

export interface RepositoryStats {
  /** Reads that met a stored value which its schema did not read, by collection. */
  readonly undecodable: Readonly<Record<string, number>>
}

/**
 * The application's data: typed values, read and written through the `Store`. The policy in force is the deployer's,
 * where `COLLECTIONS` names the collection. A stored value that its schema does not read, even after migration, is
 * logged, counted and left as it is; to its reader it is an absence, or a failure where the policy says so
 * (`undecodable`): no deployment can poison reads, and no read destroys what somebody else has written. A key that its
 * schema does not take fails with `BadKey`; a value that it does not take, or that JSON cannot hold (`NaN`), is a bug of
 * the caller and dies.
 */
export class Repository extends Context.Tag("larder/Repository")<
  Repository,
  {
    readonly get: <K, V>(family: TypedCollection<K, V>, key: K) => Effect.Effect<Option.Option<V>, StoreError>
    /** One answer per key, in the order asked, of one `Store.getMany`. */
    readonly getMany: <K, V>(
      family: TypedCollection<K, V>,
      keys: ReadonlyArray<K>
    ) => Effect.Effect<ReadonlyArray<Option.Option<V>>, StoreError>
    /** The same for who goes on to write: a stored value that cannot be read is a Left, whatever the policy. */
    readonly getEach: <K, V>(
      family: TypedCollection<K, V>,
      keys: ReadonlyArray<K>
    ) => Effect.Effect<ReadonlyArray<Either.Either<Option.Option<V>, DecodeError>>, StoreError>
    /**
     * The value, or what `load` makes of its absence, kept for the collection's ttl: see `Store.getOrLoad`. Beside a
     * value that cannot be read, what `load` makes is served and not kept.
     */
    readonly getOrLoad: <K, V, E, R>(
      family: TypedCollection<K, V>,
      key: K,
      load: Effect.Effect<Option.Option<V>, E, R>
    ) => Effect.Effect<Option.Option<V>, E | StoreError, R>
    readonly set: <K, V>(
      family: TypedCollection<K, V>,
      key: K,
      value: V,
      options?: RecordOptions
    ) => Effect.Effect<Written, StoreError>
    /** One result per write, in the order given, of one `Store.setMany`; not atomic. */
    readonly setMany: <K, V>(
      family: TypedCollection<K, V>,
      writes: ReadonlyArray<RecordWrite<K, V>>
    ) => Effect.Effect<ReadonlyArray<StoreResult<Written>>, StoreError>
    readonly delete: <K, V>(family: TypedCollection<K, V>, key: K) => Effect.Effect<void, StoreError>
    /** Keys in UTF-8 byte order; a page may be empty and still have a cursor. Names that are no keys are left out. */
    readonly list: <K, V>(
      family: TypedCollection<K, V>,
      options?: { readonly prefix?: string; readonly cursor?: string; readonly limit?: number }
    ) => Effect.Effect<{ readonly keys: ReadonlyArray<K>; readonly cursor: string | undefined }, StoreError>
    readonly stats: () => RepositoryStats
  }
>() {}
