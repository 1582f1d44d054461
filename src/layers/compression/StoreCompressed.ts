import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { CompressionError, type StoredCoding } from "../../services/compression/Compression.ts"
import { limits } from "../../services/kv/Kv.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { servableContentType } from "../../services/store/model/ContentType.ts"
import { digestOf, rememberTag } from "../../services/store/model/EntityTag.ts"
import { codingOf, maxCodingCharacters, withCoding } from "../../services/store/model/ValueCoding.ts"
import {
  type Change,
  type Loaded,
  type Lookup,
  onlyOne,
  Store,
  StoreError,
  type StoreResult
} from "../../services/store/Store.ts"
import { type Accepts, StoredForm } from "../../services/store/StoredForm.ts"
import type { ValueCodec } from "./internal/valueCodec.ts"

/**
 * A store whose values are kept compressed where the collection's policy says so and it saves at least 10 %: every tier,
 * copy and snapshot beneath it has the smaller bytes. An entry says itself how it is kept, so what is read is what was
 * written, whatever the policy has become and whichever mode it was copied from.
 *
 * Values of packed collections are left as they are: a page is compressed as a whole, which takes a sixth of what its
 * values take one by one (test/layers/compression/StoreCompressed.test.ts).
 *
 * @param load brings the codecs, when the first value needs them
 */
export const make = (store: Store["Type"], load: Effect.Effect<ValueCodec>): Store["Type"] => {
  let loaded: ValueCodec | undefined
  const compression = Effect.suspend(() =>
    loaded === undefined
      ? Effect.map(load, (service) => {
          loaded ??= service
          return loaded
        })
      : Effect.succeed(loaded)
  )

  const encoded = <V extends Loaded>(collection: Collection, given: V): Effect.Effect<V> => {
    const contentType = servableContentType(given.contentType)
    return isKeptAsGiven(collection, contentType, given.value.byteLength)
      ? Effect.succeed(given)
      : Effect.map(compression, (service) => encodedBy(service, collection, given, contentType))
  }

  /** A value in its plain form, or one that is accepted, at once where nothing has to be loaded for it. */
  const decodedNow = (lookup: Lookup, accepts: Accepts | undefined): Lookup | StoreError | undefined => {
    const { entry } = lookup
    const coding = entry && codingOf(entry.contentType)
    if (entry === undefined || coding === undefined) return lookup
    if (accepts?.(coding.coding) === true) return { ...lookup, coding: coding.coding }
    if (loaded === undefined) return undefined
    const value = loaded.decode(entry.value, coding.coding as StoredCoding, limits.valueBytes)
    if (!(value instanceof Uint8Array)) return unreadable(new CompressionError({ operation: "decompress", ...value }))
    const plain = { ...entry, value, contentType: coding.contentType }
    rememberTag(plain, `"${coding.tag}"`)
    return coding.coding === "identity" ? { ...lookup, entry: plain } : { ...lookup, entry: plain, coding: "identity" }
  }

  const decoded = (lookup: Lookup, accepts?: Accepts): Effect.Effect<Lookup, StoreError> => {
    const now = decodedNow(lookup, accepts)
    if (now === undefined) return Effect.flatMap(compression, () => decoded(lookup))
    return now instanceof StoreError ? Effect.fail(now) : Effect.succeed(now)
  }

  const writeMany: Store["Type"]["writeMany"] = (collection, changes) =>
    Effect.flatMap(
      Effect.forEach(
        changes,
        (change): Effect.Effect<Change> => ("remove" in change ? Effect.succeed(change) : encoded(collection, change))
      ),
      (kept) => store.writeMany(collection, kept)
    )

  return {
    ...store,

    held: (collection, key, now, session, accepts) => {
      // What cannot be answered at once must not count as asked.
      if (loaded === undefined && collection.policy.compress) return undefined
      const found = store.held(collection, key, now, session)
      const plain = found && decodedNow(found, accepts)
      return plain instanceof StoreError ? undefined : plain
    },

    get: (collection, key) =>
      Effect.flatMap(store.get(collection, key), (lookup) =>
        isCoded(lookup) ? Effect.flatMap(StoredForm, (accepts) => decoded(lookup, accepts)) : Effect.succeed(lookup)
      ),

    getMany: (collection, keys, maxBytes = Number.POSITIVE_INFINITY) =>
      Effect.flatMap(store.getMany(collection, keys, Number.isFinite(maxBytes) ? maxBytes : undefined), (results) => {
        let bytes = 0
        return Effect.forEach(results, (result): Effect.Effect<StoreResult<Lookup>> => {
          if (result._tag === "Failed") return Effect.succeed(result)
          if (bytes > maxBytes && isCoded(result.value)) return Effect.succeed({ _tag: "Failed", error: overBound() })
          return Effect.match(decoded(result.value), {
            onFailure: (error): StoreResult<Lookup> => ({ _tag: "Failed", error }),
            onSuccess: (value): StoreResult<Lookup> => {
              if (value !== result.value) bytes += value.entry?.value.byteLength ?? 0
              return { _tag: "Done", value }
            }
          })
        })
      }),

    getOrLoad: <E, R>(collection: Collection, key: string, load: Effect.Effect<Option.Option<Loaded>, E, R>) =>
      Effect.flatMap(
        store.getOrLoad(
          collection,
          key,
          Effect.flatMap(load, (brought) =>
            Option.isSome(brought) ? Effect.asSome(encoded(collection, brought.value)) : Effect.succeed(brought)
          )
        ),
        (lookup) => decoded(lookup)
      ),

    set: (collection, key, value, options = {}) =>
      Effect.flatMap(writeMany(collection, [{ ...options, key, value }]), onlyOne),

    writeMany,

    stats: () => ({
      ...store.stats?.(),
      ...(loaded === undefined ? {} : { compression: Object.fromEntries(loaded.statistics()) })
    })
  }
}

/** The codecs are a module of their own: a bundler that splits leaves them out of what starts an isolate. */
export const layer: Layer.Layer<Store, never, Store> = Layer.effect(
  Store,
  Effect.map(Store, (store) =>
    make(
      store,
      Effect.promise(async () => (await import("./internal/valueCodec.ts")).make())
    )
  )
)

// internal

const isTried = ({ policy }: Collection, bytes: number): boolean =>
  policy.compress && !policy.packed && bytes <= limits.valueBytes

/** Also what only looks like a value of ours is marked, as plain: a read takes off one mark. */
const isKeptAsGiven = (collection: Collection, contentType: string, bytes: number): boolean =>
  !isTried(collection, bytes) && codingOf(contentType) === undefined

const encodedBy = <V extends Loaded>(service: ValueCodec, collection: Collection, given: V, contentType: string): V => {
  const value = given.value as Uint8Array
  const { bytes, coding }: { readonly bytes: Uint8Array; readonly coding: StoredCoding } = isTried(
    collection,
    value.byteLength
  )
    ? service.compress(value, { contentType, use: "inline", overhead: maxCodingCharacters })
    : { bytes: value, coding: "identity" }
  if (coding === "identity" && codingOf(contentType) === undefined) return given
  return {
    ...given,
    value: bytes,
    contentType: withCoding({ contentType, coding, tag: digestOf({ contentType, value }) })
  }
}

const isCoded = ({ entry }: Lookup): boolean => entry !== undefined && codingOf(entry.contentType) !== undefined

const unreadable = (cause: CompressionError) => new StoreError({ operation: "get", reason: "Unavailable", cause })

const overBound = () => new StoreError({ operation: "get", reason: "Unavailable", retryAfter: 0 })
