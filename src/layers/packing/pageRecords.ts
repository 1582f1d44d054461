import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Background } from "../../services/base/Background.ts"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import type { StampedWrite } from "../../services/batching/Batcher.ts"
import { type Kv, KvError, limits } from "../../services/kv/Kv.ts"
import { compareUtf8 } from "../../services/kv/model/KvPaging.ts"
import { pageKey } from "../../services/kv/model/PhysicalKey.ts"
import { entryIn, isElsewhere, merge, type PageRow } from "../../services/packing/model/Page.ts"
import type { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { Observation } from "../../services/store/model/Entry.ts"
import type { StoreStats } from "../../services/store/Store.ts"
import { type Address, addressOf } from "../../services/tiers/ReadPath.ts"
import { makePackedHeads } from "./internal/packedHeads.ts"
import { mostCleared, type PackedCollection, PackedState } from "./internal/packedState.ts"
import { makePageImages, type PageView } from "./internal/pageImages.ts"
import { makePageWrites } from "./internal/pageWrites.ts"
import type { ListedHead, makeKvRecords } from "./kvRecords.ts"
import type { makeNearPages } from "./nearPages.ts"

/** What was asked for, and what lay beside it. */
export interface Found {
  readonly observations: ReadonlyArray<Observation>
  readonly siblings: ReadonlyArray<{ readonly address: Address; readonly observation: Observation }>
}

/** Operations of an invocation that a clear leaves: for the root, a put of it that KV asks to repeat, and a list. */
const clearReserve = 8

/** Entries of packed collections: many in one KV value. */
export const makePageRecords = (
  kv: Kv["Type"],
  settings: Settings["Type"],
  records: ReturnType<typeof makeKvRecords>,
  maxPageBytes?: number,
  near?: ReturnType<typeof makeNearPages>
) => {
  const states = new Map<string, PackedState>()
  const images = makePageImages(kv, near)
  const write = makePageWrites(images, records, maxPageBytes)

  const packedOf = (collection: Collection): PackedCollection => {
    const state = states.get(collection.name) ?? new PackedState()
    states.set(collection.name, state)
    return { collection, state }
  }

  /** The view with this isolate's own writes; those that it should hold by now and does not are written again, behind. */
  const healed = (packed: PackedCollection, view: PageView): Effect.Effect<PageView> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const versions = new Map(view.rows.map(({ key, version }) => [key, version]))
      const lost = packed.state.lost(versions, view.has, view.readAt, now)
      const whole: PageView = { ...view, rows: merge(view.rows, packed.state.own(view.has, now)).rows }
      if (lost.length === 0) return Effect.succeed(whole)
      packed.state.counts.healed += lost.length
      return Effect.flatMap(Background, (background) =>
        Effect.as(
          background.run(Effect.zipRight(Effect.logDebug("a page had lost writes"), write(packed, lost))),
          whole
        )
      )
    })

  /** The views that `wants` says; undefined where the collection was never packed. */
  const viewsOf = (
    packed: PackedCollection,
    wants: (has: PageView["has"]) => boolean,
    age: 0 | "near" = 0
  ): Effect.Effect<ReadonlyArray<PageView> | undefined, KvError> =>
    Effect.flatMap(images.root(packed, age), (root) => {
      if (root === undefined) return Effect.succeed(undefined)
      const { ranges, rows } = root.page
      const views =
        ranges.length === 0
          ? Effect.succeed([images.rootView(rows, root.readAt)])
          : Effect.map(images.open(packed, ranges, wants, age), (opened) => opened.views)
      return Effect.flatMap(views, (views) => Effect.forEach(views, (view) => healed(packed, view)))
    })

  /** Of addresses that are all of one collection. */
  const readOne = (
    collection: Collection,
    addresses: ReadonlyArray<Address>,
    age: 0 | "near" = 0
  ): Effect.Effect<Found, KvError> =>
    Effect.gen(function* () {
      const packed = packedOf(collection)
      const views = yield* viewsOf(packed, (has) => addresses.some(({ key }) => has(key)), age)
      if (views === undefined) return { observations: yield* records.readMany(addresses), siblings: [] }
      const now = yield* Clock.currentTimeMillis
      const found = new Map<string, Observation>()
      const outside: Array<Address> = []
      const siblings: Array<Found["siblings"][number]> = []
      const asked = new Set(addresses.map(({ key }) => key))
      for (const { readAt, rows } of views) {
        for (const row of rows) {
          const entry = entryIn(row)
          if (asked.has(row.key)) {
            if (isElsewhere(row)) outside.push(addressOf(collection, row.key))
            else found.set(row.key, { entry, readAt })
          } else if (entry !== undefined && now < entry.expiresAt) {
            siblings.push({ address: addressOf(collection, row.key), observation: { entry, readAt } })
          }
        }
      }
      // A location's copy tells what there is; what there is not, or a tag may have ended, only for as long as absences.
      const isDoubtful = ({ key }: Address): boolean => {
        const { entry, readAt } = found.get(key) ?? {
          entry: undefined,
          readAt: Math.min(...views.map((view) => view.readAt))
        }
        const isThere = entry !== undefined && entry.tags.length === 0 && now < entry.expiresAt
        return !isThere && now - readAt >= collection.millis.negativeTtl
      }
      if (age === "near" && addresses.some(isDoubtful)) return yield* readOne(collection, addresses)
      const own = outside.length === 0 ? [] : yield* records.readMany(outside)
      for (const [index, { key }] of outside.entries()) found.set(key, own[index]!)
      const readAt = Math.min(now, ...views.map((view) => view.readAt))
      return { observations: addresses.map(({ key }) => found.get(key) ?? { entry: undefined, readAt }), siblings }
    })

  const allOf = (packed: PackedCollection) => viewsOf(packed, () => true)

  const headsOf = makePackedHeads(records)

  return {
    /** @param age `near`: what another isolate of this location has read within the collection's edge time will do */
    readMany: (addresses: ReadonlyArray<Address>, age: 0 | "near" = 0): Effect.Effect<Found, KvError> => {
      const collections = new Set(addresses.map(({ collection }) => collection))
      if (collections.size === 1) return readOne(addresses[0]!.collection, addresses, age)
      return Effect.map(
        Effect.forEach(collections, (collection) => {
          const own = addresses.filter((address) => address.collection === collection)
          return Effect.map(readOne(collection, own, age), (found) => ({ own, found }))
        }),
        (parts) => {
          const byId = new Map(
            parts.flatMap(({ found, own }) => own.map(({ id }, index) => [id, found.observations[index]!] as const))
          )
          return {
            observations: addresses.map(({ id }) => byId.get(id)!),
            siblings: parts.flatMap(({ found }) => found.siblings)
          }
        }
      )
    },

    /** Of one collection. One error, or undefined, per write, in the order given. */
    writeMany: (
      collection: Collection,
      writes: ReadonlyArray<StampedWrite>,
      now: number
    ): Effect.Effect<ReadonlyArray<KvError | undefined>> => {
      const largest = Math.min(settings.maxValueBytes, limits.valueBytes)
      const fits = ({ entry }: StampedWrite) => entry === undefined || entry.value.byteLength <= largest
      const rows = writes.filter(fits).map((one) => rowOf(one, now))
      return Effect.map(rows.length === 0 ? Effect.succeed([]) : write(packedOf(collection), rows), (done) => {
        let next = 0
        return writes.map((one) => (fits(one) ? done[next++] : new KvError({ operation: "put", reason: "TooLarge" })))
      })
    },

    list: (
      collection: Collection,
      options: { readonly prefix?: string; readonly cursor?: string; readonly limit?: number }
    ): Effect.Effect<{ keys: ReadonlyArray<ListedHead>; cursor: string | undefined } | undefined, KvError> =>
      Effect.gen(function* () {
        const { limit = limits.listKeys, prefix = "" } = options
        const after = options.cursor === undefined ? undefined : yield* keyAt(options.cursor)
        const isAfter = (key: string) => after === undefined || compareUtf8(key, after) > 0
        const packed = packedOf(collection)
        const root = yield* images.root(packed, 0)
        if (root === undefined) return undefined
        const ranges = root.page.ranges.length === 0 ? [undefined] : root.page.ranges
        const now = yield* Clock.currentTimeMillis
        const keys: Array<ListedHead> = []
        for (const [index, range] of ranges.entries()) {
          const end = ranges[index + 1]?.from
          if (end !== undefined && (!isAfter(end) || compareUtf8(end, prefix) <= 0)) continue
          if (range !== undefined && compareUtf8(range.from, prefix) > 0 && !range.from.startsWith(prefix)) break
          const views =
            range === undefined
              ? [images.rootView(root.page.rows, root.readAt)]
              : (yield* images.open(packed, [range], () => true, 0, end)).views
          for (const view of views) {
            const { rows } = yield* healed(packed, view)
            const rest = rows.filter(({ key }) => key.startsWith(prefix) && isAfter(key))
            for (const { expiresAt, key, tags, version } of yield* headsOf(collection, rest)) {
              if (expiresAt <= now) continue
              if (keys.length === limit) return { keys, cursor: cursorAt(keys.at(-1)!.key) }
              keys.push({ key, expiresAt, tags, stamp: version })
            }
          }
        }
        return { keys, cursor: undefined }
      }),

    /** Whether the collection has pages. */
    exists: (collection: Collection): Effect.Effect<boolean, KvError> =>
      Effect.map(images.root(packedOf(collection), 0), (root) => root !== undefined),

    /** Every key of a collection that has a version, the dead left out. Undefined where the collection was never packed. */
    heads: (collection: Collection) =>
      Effect.gen(function* () {
        const views = yield* allOf(packedOf(collection))
        return (
          views &&
          (yield* headsOf(
            collection,
            views.flatMap(({ rows }) => rows)
          ))
        )
      }),

    /**
     * Deletes the pages, as many as the invocation's operations allow; how many living entries were in them. The
     * directory of the others is put before any is deleted, so that no page is missed that it names. What lies under
     * keys of its own is left.
     */
    clear: (collection: Collection): Effect.Effect<{ deleted: number; complete: boolean }, KvError> =>
      Effect.gen(function* () {
        const packed = packedOf(collection)
        const root = yield* images.root(packed, 0)
        if (root === undefined) return { deleted: 0, complete: true }
        const now = yield* Clock.currentTimeMillis
        const { ranges } = root.page
        const { spent } = yield* Background
        const left = Math.min(
          settings.clearKeys,
          spent === undefined ? Number.POSITIVE_INFINITY : settings.kvOperations - spent.kv
        )
        // Each page is read and deleted, the root put or deleted; some are kept for what follows.
        const most = Math.max(1, Math.floor((left - clearReserve) / 2))
        const [going, rest] = [ranges.slice(0, most), ranges.slice(most)]
        const names = new Set(going.map(({ name }) => name))
        const rows: Array<Pick<PageRow, "key" | "version">> = []
        let deleted = 0
        const count = (views: ReadonlyArray<PageView>): void => {
          for (const view of views) {
            names.add(view.range.name)
            deleted += view.rows.filter(({ body }) => body !== undefined && now < body.expiresAt).length
            if (rows.length >= mostCleared) continue
            for (const { key, version } of view.rows) rows.push({ key, version })
          }
        }
        if (ranges.length === 0) count([images.rootView(root.page.rows, root.readAt)])
        for (let at = 0; at < going.length; at += openConnections) {
          const end = ranges[Math.min(at + openConnections, going.length)]?.from
          const some = going.slice(at, at + openConnections)
          count((yield* images.open(packed, some, () => true, 0, end)).views)
        }
        const [first, ...others] = rest
        if (first !== undefined) {
          yield* images.put(packed, "", { rows: [], ranges: [{ ...first, from: "" }, ...others] })
        } else names.add("")
        const directory = first && packed.state.images.get("")
        yield* Effect.forEach(names, (name) => kv.delete(pageKey(collection.name, name)), {
          concurrency: openConnections,
          discard: true
        })
        packed.state.clear(rows, [...names], now)
        if (directory !== undefined) packed.state.images.set("", directory)
        return { deleted, complete: first === undefined }
      }),

    stats: (): StoreStats["pages"] =>
      Object.fromEntries(
        [...states].map(([name, { counts }]) => {
          const { extracted, healed, pageReads, pageWrites, rows, splits } = counts
          return [name, { reads: pageReads, writes: pageWrites, rows, splits, healed, extracted }]
        })
      )
  }
}

const rowOf = ({ address, entry, stamp }: StampedWrite, now: number): PageRow => {
  if (entry === undefined) return { key: address.key, version: stamp, deletedAt: Math.max(1, now), body: undefined }
  const { stamp: _, ...body } = entry
  return { key: address.key, version: stamp, deletedAt: 0, body }
}

const cursorAt = (key: string): string => `page:${encodeURIComponent(key)}`

const keyAt = (cursor: string): Effect.Effect<string, KvError> =>
  Effect.try({
    try: () => {
      if (!cursor.startsWith("page:")) throw new Error("not a cursor of a packed collection")
      return decodeURIComponent(cursor.slice("page:".length))
    },
    catch: (cause) => new KvError({ operation: "list", reason: "BadOption", cause })
  })
