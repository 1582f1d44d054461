import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { openConnections } from "../../../services/base/model/OpenConnections.ts"
import type { KvError } from "../../../services/kv/Kv.ts"
import {
  entryIn,
  isElsewhere,
  keeper,
  merge,
  newName,
  ownKeyBytes,
  type PageRange,
  type PageRow,
  pageBytes,
  splitRows,
  supersededMillis,
  swept
} from "../../../services/packing/model/Page.ts"
import type { Collection } from "../../../services/store/model/Collection.ts"
import { addressOf } from "../../../services/tiers/ReadPath.ts"
import type { makeKvRecords } from "../kvRecords.ts"
import type { PackedCollection, Ticket } from "./packedState.ts"
import { type makePageImages, type PageView, retainMillisOf } from "./pageImages.ts"

/** How old the view may be that a write is merged into: a write mostly follows the read of what it changes. */
const baseMillis = 10_000

/** After how long a flush is given up for dead. A flush that lives is done by then, a page's second of rest included. */
const pageFlushMillis = 15_000

const pollMillis = 20

const supersededSeconds = supersededMillis / 1000

/**
 * Read-merge-write: what is queued for a collection goes into its pages, one put for each page that changes. One
 * flush at a time in an isolate; who comes meanwhile waits on a clock of its own, never on another request's fiber,
 * and takes over what a dead one has left.
 */
export const makePageWrites = (
  images: ReturnType<typeof makePageImages>,
  records: ReturnType<typeof makeKvRecords>,
  maxBytes = pageBytes
) => {
  /**
   * Entries that have, or are to have, a key of their own go there; of the others, and of who moves, the rows. Out of a
   * collection that is packed no more every entry moves.
   */
  const moveOut = (
    packed: PackedCollection,
    base: ReadonlyArray<PageRow>,
    changes: ReadonlyArray<PageRow>,
    hot: ReadonlySet<string>,
    now: number
  ): Effect.Effect<ReadonlyArray<PageRow>, KvError> => {
    const isPacked = packed.collection.policy.packed
    const elsewhere = new Set(base.filter(isElsewhere).map(({ key }) => key))
    return Effect.map(
      Effect.forEach(
        changes,
        (row): Effect.Effect<PageRow | undefined, KvError> => {
          const address = addressOf(packed.collection, row.key)
          const moved = elsewhere.has(row.key)
          const entry = entryIn(row)
          if (entry === undefined) {
            packed.state.elsewhere.delete(row.key)
            return moved ? Effect.as(records.remove(address), row) : Effect.succeed(row)
          }
          if (!moved && packed && !hot.has(row.key) && entry.value.byteLength < ownKeyBytes) return Effect.succeed(row)
          if (!moved && isPacked) packed.state.counts.extracted += 1
          packed.state.elsewhere.add(row.key)
          return Effect.as(records.write(address, entry, now), moved ? undefined : { ...row, body: undefined })
        },
        { concurrency: openConnections }
      ),
      (rows) => rows.filter((row) => row !== undefined)
    )
  }

  /** Writes the changes into one page; the ranges that stand in its place. */
  const change = (
    packed: PackedCollection,
    view: PageView,
    asked: ReadonlyArray<PageRow>
  ): Effect.Effect<ReadonlyArray<PageRange> | undefined, KvError> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const hot = packed.state.hot(
        asked.map(({ key }) => key),
        view.rows.length
      )
      const changes = yield* moveOut(packed, view.rows, asked, hot, now)
      const merged = merge(merge(view.rows, packed.state.own(view.has, now)).rows, changes)
      const rows = swept(merged.rows, retainMillisOf(packed.collection), now)
      if (changes.length === 0 || (!merged.changed && rows.length === view.rows.length)) {
        packed.state.counts.unchanged += 1
        return undefined
      }
      const parts = splitRows(rows, maxBytes)
      if (parts.length === 1) {
        yield* images.put(packed, view.range.name, { rows, ranges: [] })
        return undefined
      }
      packed.state.counts.splits += 1
      return yield* Effect.forEach(parts, (part, index) =>
        Effect.gen(function* () {
          const name = newName(now, index, yield* Random.next)
          yield* images.put(packed, name, { rows: part, ranges: [] })
          return {
            from: index === 0 ? view.range.from : part[0]!.key,
            name,
            was: view.range.name === "" ? name : view.range.name
          }
        })
      )
    })

  /** What lay under keys of its own before the collection was packed comes along, once. */
  const adopted = (collection: Collection): Effect.Effect<ReadonlyArray<PageRow>, KvError> =>
    Effect.gen(function* () {
      const rows: Array<PageRow> = []
      let cursor: string | undefined
      do {
        const page = yield* records.list(collection, cursor === undefined ? {} : { cursor })
        cursor = page.cursor
        const observations = yield* records.readMany(page.keys.map(({ key }) => addressOf(collection, key)))
        for (const [index, { entry }] of observations.entries()) {
          if (entry === undefined) continue
          const { stamp, ...body } = entry
          const { key } = page.keys[index]!
          const large = body.value.byteLength >= ownKeyBytes
          rows.push({ key, version: stamp, deletedAt: 0, body: large ? undefined : body })
        }
      } while (cursor !== undefined)
      return rows.length === 0 ? rows : merge([keeper], rows).rows
    })

  const single = (
    packed: PackedCollection,
    view: PageView,
    rows: ReadonlyArray<PageRow>
  ): Effect.Effect<void, KvError> =>
    Effect.flatMap(change(packed, view, rows), (ranges) =>
      ranges === undefined ? Effect.void : images.put(packed, "", { rows: [], ranges })
    )

  const spread = (
    packed: PackedCollection,
    directory: ReadonlyArray<PageRange>,
    tickets: ReadonlyArray<Ticket>
  ): Effect.Effect<void, KvError> =>
    Effect.gen(function* () {
      const { ranges, views } = yield* images.open(
        packed,
        directory,
        (has) => tickets.some(({ row }) => has(row.key)),
        baseMillis
      )
      const replaced = new Map<
        PageRange,
        { readonly rows: PageView["rows"]; readonly parts: ReadonlyArray<PageRange> }
      >()
      const waiting: Array<Ticket> = []
      yield* Effect.forEach(
        views,
        (view) => {
          const own = tickets.filter(({ row }) => view.has(row.key))
          const rows = own.map(({ row }) => row)
          return Effect.match(change(packed, view, rows), {
            onFailure: (error) => settle(own, error),
            onSuccess: (parts) => {
              if (parts === undefined) return settle(own, undefined)
              replaced.set(view.range, { rows: view.rows, parts })
              waiting.push(...own)
            }
          })
        },
        { concurrency: openConnections, discard: true }
      )
      if (replaced.size === 0) return
      const next = ranges.flatMap((range) => replaced.get(range)?.parts ?? [range])
      yield* images.put(packed, "", { rows: [], ranges: next })
      settle(waiting, undefined)
      for (const [{ name }, { parts, rows }] of replaced) {
        yield* Effect.ignore(images.put(packed, name, { rows, ranges: parts }, supersededSeconds))
      }
    })

  const flush = (packed: PackedCollection, tickets: ReadonlyArray<Ticket>) =>
    Effect.gen(function* () {
      const root = yield* images.root(packed, baseMillis)
      if (root !== undefined && root.page.ranges.length > 0) {
        return yield* spread(packed, root.page.ranges, tickets)
      }
      const rows = tickets.map(({ row }) => row)
      if (root !== undefined) {
        return yield* single(packed, images.rootView(root.page.rows, root.readAt), rows)
      }
      const base = packed.state.known(
        { ranges: [], rows: yield* adopted(packed.collection) },
        yield* Clock.currentTimeMillis
      )
      const view = images.rootView(base?.rows ?? [], 0)
      return yield* single(packed, view, rows)
    }).pipe(
      Effect.match({
        onFailure: (error) => settle(tickets, error),
        onSuccess: () => settle(tickets, undefined)
      }),
      Effect.zipRight(Clock.currentTimeMillis),
      Effect.flatMap((now) => {
        const done = tickets.filter(({ outcome }) => outcome?.error === undefined).map(({ row }) => row)
        packed.state.counts.rows += done.length
        packed.state.wrote(done, now)
        return Effect.void
      })
    )

  /** One error, or undefined, per row, in the order given. */
  return (
    packed: PackedCollection,
    rows: ReadonlyArray<PageRow>
  ): Effect.Effect<ReadonlyArray<KvError | undefined>> => {
    const { state } = packed
    const tickets = rows.map((row): Ticket => ({ row, outcome: undefined }))
    state.queue.push(...tickets)
    const waiting = () => tickets.filter(({ outcome }) => outcome === undefined)

    const turn: Effect.Effect<ReadonlyArray<KvError | undefined>> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const mine = waiting()
      if (mine.length === 0) return Effect.succeed(tickets.map(({ outcome }) => outcome!.error))
      if (state.busySince !== undefined && now - state.busySince < pageFlushMillis) {
        return Effect.zipRight(Effect.sleep(pollMillis), turn)
      }
      const taken = [...new Set([...state.queue.splice(0), ...mine])]
      state.busySince = now
      return Effect.ensuring(
        flush(packed, taken),
        Effect.sync(() => {
          if (state.busySince === now) state.busySince = undefined
          state.queue.push(...taken.filter((ticket) => ticket.outcome === undefined && !mine.includes(ticket)))
        })
      ).pipe(Effect.zipRight(turn))
    })
    return Effect.onInterrupt(turn, () =>
      Effect.sync(() => {
        for (const ticket of waiting()) {
          const place = state.queue.indexOf(ticket)
          if (place !== -1) state.queue.splice(place, 1)
        }
      })
    )
  }
}

const settle = (tickets: ReadonlyArray<Ticket>, error: KvError | undefined): void => {
  for (const ticket of tickets) ticket.outcome ??= { error }
}
