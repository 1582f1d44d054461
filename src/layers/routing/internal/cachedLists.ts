import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Background } from "../../../services/base/Background.ts"
import { limits } from "../../../services/kv/Kv.ts"
import { compareUtf8 } from "../../../services/kv/model/KvPaging.ts"
import type { Ledger } from "../../../services/ledger/Ledger.ts"
import type { SettingsValues } from "../../../services/settings/Settings.ts"
import { type Collection, tagIn } from "../../../services/store/model/Collection.ts"
import type { Listed, Store, StoreError, Written } from "../../../services/store/Store.ts"
import type { EdgeCache } from "../../../services/tiers/EdgeCache.ts"
import { makeRecent } from "../../base/recent.ts"
import { markEntry, withinEdge } from "../../packing/nearPages.ts"
import { makeLogical } from "../../store/logical.ts"
import { decodePage, encodePage, type ListPage, makeOwnChanges, pageCursor, startOf } from "./listPages.ts"

/** What memory keeps of lists: about 100 bytes each. */
const heldKeys = 20_000

type ListOptions = Parameters<Store["Type"]["list"]>[1]

interface Held {
  readonly page: ListPage
  /** Milliseconds since the epoch at which the store of record was asked. */
  readonly readAt: number
}

/** How the store of record lists. */
export interface Listing {
  /** What keys are ordered by, and found by a prefix by; undefined for a collection whose order is not known. */
  readonly placeOf: (collection: Collection) => ((key: string) => string) | undefined
  readonly placeOfPrefix: (collection: Collection, prefix: string) => string
  /** For how long a list may still show what had been there before a write. Milliseconds. */
  readonly lagMillis: number
}

/** Where keys are listed as they are, and nothing late. */
export const byKey: Listing = { placeOf: () => (key) => key, placeOfPrefix: (_, prefix) => prefix, lagMillis: 0 }

/**
 * Lists that memory answers for the collection's `memoryTtl` and the edge cache for its `edgeTtl`, counted from when the
 * store of record was asked. What this isolate has written since is laid over them, and over what the store of record
 * does not show yet. A collection with neither is listed every time.
 */
export const withCachedLists = (
  store: Store["Type"],
  { lagMillis, placeOf, placeOfPrefix }: Listing,
  {
    edge,
    ledger,
    settings
  }: {
    readonly settings: Pick<SettingsValues, "edgeOperations" | "edgeDeadline">
    readonly ledger: Ledger["Type"]
    readonly edge?: EdgeCache["Type"] | undefined
  }
): Store["Type"] => {
  const held = makeRecent<string, Held>(heldKeys, ({ page }) => 1 + page.keys.length)
  const own = makeOwnChanges()
  const within = withinEdge(settings)
  const { asked } = makeLogical(ledger)

  const windowOf = ({ millis }: Collection): number => Math.max(millis.memoryTtl, millis.edgeTtl)

  const isFresh = (collection: Collection, { readAt }: Held, ttl: number, now: number): boolean =>
    now < readAt + ttl && readAt > own.endedAt(collection)

  const onEdge = (collection: Collection, id: string, now: number): Effect.Effect<Held | undefined> => {
    const ttl = collection.millis.edgeTtl
    if (!edge?.enabled || ttl <= 0) return Effect.succeed(undefined)
    return Effect.map(within(edge.match(id), Option.none()), (found) => {
      const observation = Option.getOrUndefined(found)
      const page = observation?.entry && decodePage(observation.entry.value)
      const kept = page && { page, readAt: observation.readAt }
      return kept !== undefined && isFresh(collection, kept, ttl, now) ? kept : undefined
    })
  }

  const keepOnEdge = ({ millis }: Collection, id: string, { page, readAt }: Held): Effect.Effect<void> =>
    edge?.enabled && millis.edgeTtl > 0
      ? Effect.flatMap(Background, (background) => {
          const observation = { entry: { ...markEntry, value: encodePage(page) }, readAt }
          return background.run(within(edge.put(id, observation, readAt + millis.edgeTtl), undefined))
        })
      : Effect.void

  /** A page of the store of record, from the nearest that may answer; asked of memory or edge it is a logical list, too. */
  const pageAt = (collection: Collection, options: ListOptions): Effect.Effect<Held, StoreError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const id = `~list/${collection.name}/${JSON.stringify([options.prefix, options.cursor, options.limit])}`
      const near = held.get(id)
      if (near !== undefined && isFresh(collection, near, collection.millis.memoryTtl, now)) {
        asked("lists", collection, 1)
        return Effect.succeed(near)
      }
      return Effect.flatMap(onEdge(collection, id, now), (found) => {
        if (found !== undefined) {
          asked("lists", collection, 1)
          held.put(id, found)
          return Effect.succeed(found)
        }
        return Effect.flatMap(store.list(collection, options), (page) => {
          const read = { page, readAt: now }
          held.put(id, read)
          return Effect.as(keepOnEdge(collection, id, read), read)
        })
      })
    })

  const list: Store["Type"]["list"] = (collection, { cursor, limit = limits.listKeys, prefix = "" }) => {
    const place = placeOf(collection)
    const from = cursor === undefined ? { after: undefined, start: undefined } : startOf(cursor)
    if (from === undefined) return store.list(collection, { cursor: cursor!, limit, prefix })
    const options = { prefix, limit, ...(from.start === undefined ? {} : { cursor: from.start }) }
    if (place === undefined || (windowOf(collection) <= 0 && from.after === undefined)) {
      return store.list(collection, options)
    }
    return Effect.zipWith(pageAt(collection, options), Clock.currentTimeMillis, ({ page, readAt }, now) => {
      const lastRead = page.keys.at(-1)?.key ?? from.after
      const isAfter = (key: string) => from.after === undefined || compareUtf8(place(key), place(from.after)) > 0
      const isWithin = (key: string) =>
        isAfter(key) &&
        place(key).startsWith(placeOfPrefix(collection, prefix)) &&
        (page.cursor === undefined || (lastRead !== undefined && compareUtf8(place(key), place(lastRead)) <= 0))
      const keys = new Map(page.keys.filter(({ key }) => isAfter(key)).map((listed) => [listed.key, listed]))
      let isAdded = false
      for (const [key, listed] of own.since(collection, readAt - lagMillis)) {
        if (listed === undefined) keys.delete(key)
        else if (isWithin(key)) {
          isAdded ||= !keys.has(key)
          keys.set(key, listed)
        }
      }
      const living = [...keys.values()].filter(({ expiresAt }) => expiresAt > now)
      if (isAdded) living.sort((a, b) => compareUtf8(place(a.key), place(b.key)))
      if (living.length > limit) {
        const cut = living.slice(0, limit)
        return { keys: cut, cursor: pageCursor(cut.at(-1)!.key, from.start) }
      }
      return { keys: living, cursor: page.cursor === undefined ? undefined : pageCursor(lastRead, page.cursor) }
    })
  }

  /** What a write leaves in lists; where nobody knows what it left, no list that was read before is an answer. */
  const noting = <A>(
    collection: Collection,
    change: Effect.Effect<A, StoreError>,
    note: (done: A, now: number) => void
  ): Effect.Effect<A, StoreError> =>
    Effect.tapBoth(change, {
      onSuccess: (done) => Effect.map(Clock.currentTimeMillis, (now) => note(done, now)),
      onFailure: () => Effect.map(Clock.currentTimeMillis, (now) => own.end(collection, now))
    })

  const listed = (
    collection: Collection,
    key: string,
    tags: ReadonlyArray<string> | undefined,
    { expiresAt }: Written
  ): Listed => ({
    key,
    expiresAt,
    tags: [...new Set([...collection.policy.tags, ...(tags ?? [])])].map((tag) => tagIn(collection, tag))
  })

  const keptFor = (collection: Collection): number => windowOf(collection) + lagMillis

  return {
    ...store,
    list,
    // A fill is no write: it is listed once the store of record shows it, but it ends a delete before it.
    getOrLoad: (collection, key, load) =>
      Effect.tap(store.getOrLoad(collection, key, load), ({ tier }) =>
        Effect.sync(() => {
          if (tier === "loader") own.forget(collection, key)
        })
      ),
    set: (collection, key, value, options) =>
      noting(collection, store.set(collection, key, value, options), (written, now) =>
        own.note(collection, key, listed(collection, key, options?.tags, written), now, keptFor(collection))
      ),
    delete: (collection, key, options) =>
      noting(collection, store.delete(collection, key, options), (_, now) =>
        own.note(collection, key, undefined, now, keptFor(collection))
      ),
    writeMany: (collection, changes) =>
      Effect.tap(store.writeMany(collection, changes), (results) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          for (const [index, change] of changes.entries()) {
            const result = results[index]!
            if (result._tag === "Failed") own.end(collection, now)
            else {
              const left = "remove" in change ? undefined : listed(collection, change.key, change.tags, result.value)
              own.note(collection, change.key, left, now, keptFor(collection))
            }
          }
        })
      ),
    clear: (collection) =>
      Effect.ensuring(
        store.clear(collection),
        Effect.map(Clock.currentTimeMillis, (now) => own.clear(collection, now))
      ),
    invalidateTags: (tags) =>
      Effect.ensuring(
        store.invalidateTags(tags),
        Effect.map(Clock.currentTimeMillis, (now) => own.invalidate(tags, now))
      )
  }
}
