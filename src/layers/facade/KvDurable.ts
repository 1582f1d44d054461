import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { DurableCache, DurableCacheError, entriesOf } from "../../services/durable/DurableCache.ts"
import { pageOf } from "../../services/durable/model/ShardListing.ts"
import { Kv, type KvEntry, KvError, type KvOperation, limits } from "../../services/kv/Kv.ts"
import type { Entry } from "../../services/store/model/Entry.ts"
import { Stamper } from "../../services/store/Stamper.ts"

/**
 * A namespace whose values are rows of Durable Objects. A row keeps metadata as a tag, which lists give without the
 * value. No operation here is one of KV.
 *
 * @param name of the namespace among all that these objects keep
 */
export const make = (durable: DurableCache["Type"], stamper: Stamper["Type"], name: string): Kv["Type"] => {
  const front = `${name}/`

  const write = (operation: "put" | "delete", key: string, body: Omit<Entry, "stamp"> | undefined, now: number) =>
    Effect.flatMap(durable.apply([{ id: front + key, stamp: stamper.next(now), body }], "first"), ([result]) =>
      result instanceof DurableCacheError ? Effect.fail(failed(operation)(result)) : Effect.void
    )

  const getEach = (operation: KvOperation, keys: ReadonlyArray<string>) =>
    entriesOf(
      durable,
      keys.map((key) => front + key)
    ).pipe(
      Effect.mapBoth({
        onFailure: failed(operation),
        onSuccess: (entries) => entries.map((entry): KvEntry | undefined => entry && kvEntryOf(entry))
      })
    )

  return {
    get: (key) => Effect.map(getEach("get", [key]), ([found]) => Option.fromNullable(found)),

    getBulk: (keys) =>
      Effect.map(getEach("getBulk", keys), (found) => new Map(keys.map((key, index) => [key, found[index]]))),

    put: (key, value, { expirationTtl, metadata } = {}) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const expiresAt =
          expirationTtl === undefined ? Number.POSITIVE_INFINITY : (Math.floor(now / 1000) + expirationTtl) * 1000
        const tags = metadata === undefined || metadata === null ? [] : [metadataTag + JSON.stringify(metadata)]
        return write("put", key, { value, contentType: "", tags, expiresAt, loadMillis: 0 }, now)
      }),

    delete: (key) => Effect.flatMap(Clock.currentTimeMillis, (now) => write("delete", key, undefined, now)),

    list: ({ cursor, limit = limits.listKeys, prefix = "" } = {}) =>
      durable.list(front + prefix, cursor === undefined ? undefined : front + decodeURIComponent(cursor), limit).pipe(
        Effect.mapBoth({
          onFailure: failed("list"),
          onSuccess: (listed) => {
            const { next, rows } = pageOf(listed, limit)
            const keys = rows.map(({ expiresAt, id, tags }) => ({
              name: id.slice(front.length),
              expiration: expiresAt === Number.POSITIVE_INFINITY ? undefined : expiresAt / 1000,
              metadata: metadataIn(tags)
            }))
            return { keys, cursor: next === undefined ? undefined : encodeURIComponent(next.slice(front.length)) }
          }
        })
      )
  }
}

export const layer = (name: string): Layer.Layer<Kv, never, DurableCache | Stamper> =>
  Layer.effect(
    Kv,
    Effect.map(Effect.all([DurableCache, Stamper]), ([durable, stamper]) => make(durable, stamper, name))
  )

// internal

/** No tag of a user begins with a control character; U+0000 begins those of collections. */
const metadataTag = "\u0001"

const metadataIn = (tags: ReadonlyArray<string>): unknown => {
  const tag = tags.find((tag) => tag.startsWith(metadataTag))
  return tag === undefined ? null : JSON.parse(tag.slice(metadataTag.length))
}

const kvEntryOf = ({ tags, value }: Entry): KvEntry => ({ value, metadata: metadataIn(tags) })

const failed = (operation: KvOperation) => (error: DurableCacheError) =>
  new KvError({
    operation,
    reason: "Unavailable",
    cause: new Error(`the objects of this namespace cannot be reached: ${error.reason}`, { cause: error.cause })
  })
