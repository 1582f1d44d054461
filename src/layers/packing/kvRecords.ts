import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import { getEach, getMany, type Kv, KvError, type KvListed, limits } from "../../services/kv/Kv.ts"
import { logicalKey, physicalKey } from "../../services/kv/model/PhysicalKey.ts"
import { decode, decodeListed, encode } from "../../services/packing/model/KvRecord.ts"
import type { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { Entry, Observation, Stamp } from "../../services/store/model/Entry.ts"
import { type Listed, StoreError } from "../../services/store/Store.ts"
import type { Address } from "../../services/tiers/ReadPath.ts"

type Operation = StoreError["operation"]

/** A key of a listing, and its entry's version; undefined where the listing tells neither that nor the tags. */
export interface ListedHead extends Listed {
  readonly stamp: Stamp | undefined
}

/** What a KV failure means to the store's caller. */
export const toStoreError =
  (operation: Operation) =>
  (cause: KvError): StoreError => {
    switch (cause.reason) {
      case "RateLimited":
        return new StoreError({ operation, reason: "RateLimited", retryAfter: 1, cause })
      case "DailyLimit":
        return new StoreError({ operation, reason: "DailyLimit", cause })
      case "TooLarge":
        return new StoreError({ operation, reason: "TooLarge", cause })
      case "BadKey":
        return new StoreError({ operation, reason: "BadKey", cause })
      case "InvocationLimit":
      case "LeftOut":
        return new StoreError({ operation, reason: "Unavailable", retryAfter: 1, cause })
      case "BadOption":
        return new StoreError({ operation, reason: operation === "list" ? "BadCursor" : "Unavailable", cause })
      default:
        return new StoreError({ operation, reason: "Unavailable", retryAfter: 5, cause })
    }
  }

/** Every key of a collection other than `default` lies under its own prefix; those of `default` under none. */
export const listPrefix = (collection: Collection, prefix: string): string =>
  collection.name === "default" && !prefix.startsWith("~") ? prefix : `~${collection.name}/${prefix}`

/** Entries as records of one KV namespace: what `StoreDirect` and `StoreKv` share. */
export const makeKvRecords = (kv: Kv["Type"], settings: Settings["Type"]) => {
  const physical = (address: Address): string => physicalKey(address.collection.name, address.key)

  const observe = (stored: Option.Option<Entry>, readAt: number): Observation => ({
    entry: Option.getOrUndefined(stored),
    readAt
  })

  const listed =
    (collection: Collection, now: number) =>
    (key: KvListed): ReadonlyArray<ListedHead> => {
      const behind = logicalKey(key.name)
      const known = decodeListed(key.metadata)
      const name = behind?.key ?? known.key
      return behind?.collection === collection.name && name !== undefined && known.expiresAt > now
        ? [{ key: name, expiresAt: known.expiresAt, tags: known.tags, stamp: known.stamp }]
        : []
    }

  return {
    read: (address: Address): Effect.Effect<Observation, KvError> =>
      Effect.zipWith(kv.get(physical(address)), Clock.currentTimeMillis, (stored, readAt) =>
        observe(Option.map(stored, decode), readAt)
      ),

    /** What could not be read of one address fails that address alone. */
    readEach: (
      addresses: ReadonlyArray<Address>,
      maxBytes?: number
    ): Effect.Effect<ReadonlyArray<Observation | KvError>> => {
      const names = addresses.map(physical)
      return Effect.zipWith(getEach(kv, names, maxBytes), Clock.currentTimeMillis, (stored, readAt) =>
        names.map((name) => {
          const found = stored.get(name)
          return found instanceof KvError ? found : observe(Option.map(Option.fromNullable(found), decode), readAt)
        })
      )
    },

    readMany: (addresses: ReadonlyArray<Address>): Effect.Effect<ReadonlyArray<Observation>, KvError> => {
      const names = addresses.map(physical)
      return Effect.zipWith(getMany(kv, names), Clock.currentTimeMillis, (stored, readAt) =>
        names.map((name) => observe(Option.map(Option.fromNullable(stored.get(name)), decode), readAt))
      )
    },

    write: (address: Address, entry: Entry, now: number): Effect.Effect<void, KvError> => {
      if (entry.value.byteLength > Math.min(settings.maxValueBytes, limits.valueBytes)) {
        return Effect.fail(new KvError({ operation: "put", reason: "TooLarge" }))
      }
      const { graceFor, staleFor } = address.collection.millis
      const name = physical(address)
      const record = encode(entry, address.key, name, now, Math.max(staleFor, graceFor))
      return kv.put(name, record.value, record.options)
    },

    remove: (address: Address): Effect.Effect<void, KvError> => kv.delete(physical(address)),

    list: (
      collection: Collection,
      options: { readonly prefix?: string; readonly cursor?: string; readonly limit?: number }
    ) =>
      Effect.zipWith(
        kv.list({ ...options, prefix: listPrefix(collection, options.prefix ?? "") }),
        Clock.currentTimeMillis,
        (page, now) => ({ keys: page.keys.flatMap(listed(collection, now)), cursor: page.cursor })
      ),

    /**
     * Deletes up to `settings.clearKeys` entries, as far as the invocation's operations go; the physical ones, so that
     * hashed and expired ones go as well.
     */
    clear: (collection: Collection): Effect.Effect<{ deleted: number; complete: boolean }, KvError> => {
      let deleted = 0
      const all = Effect.gen(function* () {
        let cursor: string | undefined
        do {
          const page = yield* kv.list({
            prefix: listPrefix(collection, ""),
            limit: Math.min(limits.listKeys, settings.clearKeys - deleted),
            ...(cursor === undefined ? {} : { cursor })
          })
          const names = page.keys
            .map(({ name }) => name)
            .filter((name) => logicalKey(name)?.collection === collection.name)
          yield* Effect.forEach(names, (name) => Effect.map(kv.delete(name), () => deleted++), {
            concurrency: openConnections,
            discard: true
          })
          cursor = page.cursor
        } while (cursor !== undefined && deleted < settings.clearKeys)
        return cursor === undefined
      })
      return all.pipe(
        Effect.catchIf(
          ({ reason }) => reason === "InvocationLimit" && deleted > 0,
          () => Effect.succeed(false)
        ),
        Effect.map((complete) => ({ deleted, complete }))
      )
    }
  }
}
