import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { openConnections } from "../../../services/base/model/OpenConnections.ts"
import { type Kv, KvError, limits } from "../../../services/kv/Kv.ts"
import { compareUtf8 } from "../../../services/kv/model/KvPaging.ts"
import { pageKey } from "../../../services/kv/model/PhysicalKey.ts"
import {
  decode,
  encode,
  expiryOf,
  isYoung,
  type Page,
  type PageRange,
  type PageRow,
  supersededMillis
} from "../../../services/packing/model/Page.ts"
import type { Collection } from "../../../services/store/model/Collection.ts"
import type { makeNearPages } from "../nearPages.ts"
import type { Image, PackedCollection, PackedState } from "./packedState.ts"

/** How long a directory is used before it is read again. What was split meanwhile is read from the page it was. */
const directoryMillis = 60_000

/** Page images that an isolate holds per collection, for the write that follows a read. */
const heldImages = 8

/** A page takes one put a second. */
const onRateLimited = Schedule.intersect(Schedule.spaced("1050 millis"), Schedule.recurs(3))

/** One page as it was read, and the keys that are its own. */
export interface PageView {
  readonly range: PageRange
  readonly rows: ReadonlyArray<PageRow>
  readonly readAt: number
  readonly has: (key: string) => boolean
}

/** Milliseconds that a page may have been held here; `near`: read now, or by another isolate of this location. */
type Age = number | "near"

/** Views of some ranges of a directory, and the directory as it turned out to be. */
export interface Opened {
  readonly views: ReadonlyArray<PageView>
  readonly ranges: ReadonlyArray<PageRange>
}

export const retainMillisOf = ({ millis }: Collection): number => Math.max(millis.staleFor, millis.graceFor)

/** A young page that is not there is taken for one on its way, so it must not have expired. */
const leastSeconds = (name: string): number =>
  name === "" ? limits.minExpirationTtl : supersededMillis / 1000 + limits.minExpirationTtl

const rootRange: PageRange = { from: "", name: "", was: "" }

/** Reads and writes the pages of packed collections, one billed operation each. */
export const makePageImages = (kv: Kv["Type"], near?: ReturnType<typeof makeNearPages>) => {
  const imageOf = (
    state: PackedState,
    name: string,
    bytes: Uint8Array,
    readAt: number,
    now: number
  ): Effect.Effect<Image | undefined, KvError> =>
    Either.match(decode(bytes), {
      onLeft: (cause) => Effect.fail(new KvError({ operation: "get", reason: "Unavailable", cause })),
      onRight: (read) => {
        const page = state.known(read, now)
        if (page === undefined) return Effect.succeed(undefined)
        const image = { page, readAt }
        remember(state, name, image)
        return Effect.succeed(image)
      }
    })

  /** One by one: a bulk read carries text, and pages are none. */
  const fetch = (packed: PackedCollection, name: string): Effect.Effect<Image | undefined, KvError> =>
    Effect.flatMap(kv.get(pageKey(packed.collection.name, name)), (stored) => {
      packed.state.counts.pageReads += 1
      return Effect.flatMap(Clock.currentTimeMillis, (readAt) => {
        packed.state.images.delete(name)
        if (Option.isNone(stored)) return Effect.succeed(undefined)
        const { value } = stored.value
        return Effect.zipLeft(
          imageOf(packed.state, name, value, readAt, readAt),
          near?.put(packed.collection, name, value, readAt) ?? Effect.void
        )
      })
    })

  /** What another isolate of this location has read; KV itself where there is none, or it is of no use. */
  const fetchNear = (packed: PackedCollection, name: string) =>
    Effect.flatMap(near?.match(packed.collection, name) ?? Effect.succeed(undefined), (found) => {
      if (found === undefined) return fetch(packed, name)
      return Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.flatMap(
          Effect.orElseSucceed(imageOf(packed.state, name, found.value, found.readAt, now), () => undefined),
          (image) => (image === undefined ? fetch(packed, name) : Effect.succeed(image))
        )
      )
    })

  const remember = (state: PackedState, name: string, image: Image): void => {
    state.images.delete(name)
    state.images.set(name, image)
    for (const other of state.images.keys()) {
      if (state.images.size <= heldImages) break
      if (other !== "") state.images.delete(other)
    }
  }

  const load = (packed: PackedCollection, name: string, maxAge: Age) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const held = packed.state.images.get(name)
      const limit =
        name === "" && held !== undefined && held.page.ranges.length > 0
          ? directoryMillis
          : maxAge === "near"
            ? 0
            : maxAge
      if (held !== undefined && now - held.readAt < limit) return Effect.succeed(held)
      return (maxAge === "near" ? fetchNear : fetch)(packed, name)
    })

  /** The page that a new one was split from, while that is not to be seen here. */
  const before = (packed: PackedCollection, { name, was }: PageRange, maxAge: Age) =>
    Effect.gen(function* () {
      if (!isYoung(name, yield* Clock.currentTimeMillis)) return undefined
      const found = was === name ? undefined : yield* load(packed, was, maxAge)
      if (found !== undefined) return { ...found, page: { ...found.page, ranges: [] } }
      return yield* new KvError({ operation: "get", reason: "Unavailable", cause: "a page is not visible here yet" })
    })

  /**
   * Opens those of the ranges that `wants` says. A page that was split since its directory was read names the pages
   * in its place.
   *
   * @param to the key that the last range ends before
   */
  const open = (
    packed: PackedCollection,
    ranges: ReadonlyArray<PageRange>,
    wants: (has: PageView["has"]) => boolean,
    maxAge: Age,
    to?: string
  ): Effect.Effect<Opened, KvError> =>
    Effect.map(
      Effect.forEach(
        ranges,
        (range, index): Effect.Effect<Opened, KvError> => {
          const end = ranges[index + 1]?.from ?? to
          const has = (key: string) =>
            compareUtf8(key, range.from) >= 0 && (end === undefined || compareUtf8(key, end) < 0)
          if (!wants(has)) return Effect.succeed({ views: [], ranges: [range] })
          return Effect.gen(function* () {
            const found = yield* load(packed, range.name, maxAge)
            const image = found ?? (yield* before(packed, range, maxAge))
            const [first, ...rest] = image?.page.ranges ?? []
            if (first !== undefined) {
              return yield* open(packed, [{ ...first, from: range.from }, ...rest], wants, maxAge, end)
            }
            const readAt = image?.readAt ?? (yield* Clock.currentTimeMillis)
            const rows = (image?.page.rows ?? []).filter(({ key }) => has(key))
            return { views: [{ range, rows, readAt, has }], ranges: [range] }
          })
        },
        { concurrency: openConnections }
      ),
      (parts) => ({ views: parts.flatMap(({ views }) => views), ranges: parts.flatMap(({ ranges }) => ranges) })
    )

  return {
    open,

    /** The root; undefined where the collection was never packed, or all of it has expired. */
    root: (packed: PackedCollection, maxAge: Age) => load(packed, "", maxAge),

    /** Of a root that holds rows itself. */
    rootView: (rows: ReadonlyArray<PageRow>, readAt: number): PageView => ({
      range: rootRange,
      rows,
      readAt,
      has: () => true
    }),

    /** @param ttlSeconds in place of the life of what the page holds */
    put: (packed: PackedCollection, name: string, page: Page, ttlSeconds?: number): Effect.Effect<void, KvError> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const bytes = encode(page)
        if (Either.isLeft(bytes)) {
          return Effect.fail(new KvError({ operation: "put", reason: "TooLarge", cause: bytes.left }))
        }
        const until = expiryOf(page, retainMillisOf(packed.collection))
        const seconds = ttlSeconds ?? Math.max(leastSeconds(name), Math.ceil((until - now) / 1000))
        const options = Number.isFinite(seconds) ? { expirationTtl: seconds } : {}
        return kv.put(pageKey(packed.collection.name, name), bytes.right, options).pipe(
          Effect.retry({ schedule: onRateLimited, while: ({ reason }) => reason === "RateLimited" }),
          Effect.zipRight(Clock.currentTimeMillis),
          Effect.flatMap((readAt) => {
            packed.state.counts.pageWrites += 1
            remember(packed.state, name, { page, readAt })
            return near?.put(packed.collection, name, bytes.right, readAt) ?? Effect.void
          }),
          Effect.tapError(() => Effect.sync(() => packed.state.images.delete(name)))
        )
      })
  }
}
