import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { type Collection, define } from "../services/Collection.ts"
import { compareStamps, type Entry, isInvalidated, type Stamp, zeroStamp } from "../services/Entry.ts"
import type { Kv, KvError } from "../services/Kv.ts"
import { type Address, addressOf } from "../services/ReadPath.ts"
import type { Settings } from "../services/Settings.ts"
import { type KvStoreOfRecord, StoreOfRecordError, type Versioned } from "../services/StoresOfRecord.ts"
import { makeKvHeads } from "./internal/kvHeads.ts"
import { makeKvRecords } from "./internal/kvRecords.ts"
import { makePortions } from "./internal/portions.ts"
import { makeTagMarks } from "./internal/tagMarks.ts"

/** Connections that an invocation may have open at once. */
const openConnections = 6

/**
 * The namespace of the KV mode as a whole. A listing tells the version of nearly every entry, so that only what must
 * be copied is read. Marks are read once per tag.
 */
export const make = (kv: Context.Tag.Service<Kv>, settings: Context.Tag.Service<Settings>): KvStoreOfRecord => {
  const records = makeKvRecords(kv, settings)
  const tagMarks = makeTagMarks(kv)
  const marks = new Map<string, Stamp>()
  const headsOf = makeKvHeads(kv)
  const portions = makePortions()
  const undeclared = new Map<string, Collection>()

  const addressOfId = (id: string): Address => {
    const slash = id.indexOf("/")
    const name = id.slice(0, slash)
    const collection = settings.collections.get(name) ?? undeclared.get(name) ?? define(name)
    undeclared.set(name, collection)
    return addressOf(collection, id.slice(slash + 1))
  }

  const readMarks = (tags: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, Stamp>, KvError> => {
    const unread = [...new Set(tags)].filter((tag) => !marks.has(tag))
    if (unread.length === 0) return Effect.succeed(marks)
    return Effect.map(tagMarks.read(unread), (stamps) => {
      for (const tag of unread) marks.set(tag, stamps.get(tag) ?? zeroStamp)
      return marks
    })
  }

  /** Those neither expired nor ended by a tag. */
  const living = <A extends Pick<Entry, "expiresAt" | "tags">>(
    found: ReadonlyArray<A>,
    stampOf: (one: A) => Stamp
  ): Effect.Effect<ReadonlySet<A>, KvError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const unexpired = found.filter(({ expiresAt }) => now < expiresAt)
      return Effect.map(
        readMarks(unexpired.flatMap(({ tags }) => tags)),
        (marks) => new Set(unexpired.filter((one) => !isInvalidated({ tags: one.tags, stamp: stampOf(one) }, marks)))
      )
    })

  const page: KvStoreOfRecord["page"] = (cursor, limit) =>
    Effect.gen(function* () {
      const listed = yield* kv.list({ limit, ...(cursor === undefined ? {} : { cursor }) })
      const heads = yield* headsOf(listed.keys)
      const alive = yield* living(heads, ({ version }) => version)
      return { heads: heads.filter((head) => alive.has(head)), cursor: listed.cursor }
    }).pipe(Effect.mapError(failed("page")))

  /** One by one what Larder did not write: a bulk read would drop a byte order mark, for good. */
  const observe = (asked: ReadonlyArray<Versioned>): Effect.Effect<ReadonlyMap<string, Entry>, KvError> =>
    Effect.gen(function* () {
      const addresses = asked.map(({ id }) => addressOfId(id))
      const isForeign = (index: number) => compareStamps(asked[index]!.version, zeroStamp) === 0
      const ours = addresses.filter((_, index) => !isForeign(index))
      const foreign = addresses.filter((_, index) => isForeign(index))
      const observations = [
        ...(ours.length === 0 ? [] : yield* records.readMany(ours)),
        ...(yield* Effect.forEach(foreign, records.read, { concurrency: openConnections }))
      ]
      const found = new Map<string, Entry>()
      for (const [index, { id }] of [...ours, ...foreign].entries()) {
        const { entry } = observations[index]!
        if (entry !== undefined) found.set(id, entry)
      }
      return found
    })

  const write = (id: string, entry: Entry, now: number): Effect.Effect<boolean, KvError> =>
    records.write(addressOfId(id), entry, now).pipe(
      Effect.as(true),
      Effect.catchIf(
        ({ reason }) => reason === "RateLimited" || reason === "TooLarge" || reason === "BadKey",
        (error) => Effect.as(Effect.logWarning(`KV did not take ${id}`, error), false)
      )
    )

  return {
    page,
    read: (asked) =>
      Effect.gen(function* () {
        const portion = portions.of(asked)
        const found = yield* observe(portion)
        const alive = yield* living([...found.values()], ({ stamp }) => stamp)
        const entries = portion.map(({ id }) => found.get(id))
        portions.received(entries)
        return entries.map((entry) => (entry !== undefined && alive.has(entry) ? entry : undefined))
      }).pipe(Effect.mapError(failed("read"))),
    write: (entries) =>
      Effect.gen(function* () {
        if (entries.length === 0) return []
        const now = yield* Clock.currentTimeMillis
        const before = yield* records.readMany(entries.map(({ id }) => addressOfId(id)))
        return yield* Effect.forEach(
          entries,
          ({ entry, id }, index) => {
            const there = before[index]!.entry
            return there !== undefined && compareStamps(there.stamp, entry.stamp) >= 0
              ? Effect.succeed(true)
              : write(id, entry, now)
          },
          { concurrency: openConnections }
        )
      }).pipe(Effect.mapError(failed("write"))),
    remove: (gone) =>
      Effect.forEach(
        gone,
        ({ id, version }) => {
          const address = addressOfId(id)
          return Effect.flatMap(records.read(address), ({ entry }) =>
            entry !== undefined && compareStamps(entry.stamp, version) === 0 ? records.remove(address) : Effect.void
          )
        },
        { concurrency: openConnections, discard: true }
      ).pipe(Effect.mapError(failed("remove"))),
    marksOf: (tags) => Effect.mapError(readMarks(tags), failed("marks")),
    carry: (carried) =>
      Effect.gen(function* () {
        const known = yield* readMarks([...carried.keys()])
        const higher = [...carried].filter(([tag, mark]) => compareStamps(mark, known.get(tag)!) > 0)
        yield* Effect.forEach(higher, ([tag, mark]) => tagMarks.write(tag, mark), {
          concurrency: openConnections,
          discard: true
        })
        for (const [tag, mark] of higher) marks.set(tag, mark)
      }).pipe(Effect.mapError(failed("marks")))
  }
}

const failed =
  (operation: StoreOfRecordError["operation"]) =>
  (cause: KvError): StoreOfRecordError =>
    new StoreOfRecordError({ operation, reason: reasonOf(cause), cause })

const reasonOf = ({ operation, reason }: KvError): StoreOfRecordError["reason"] => {
  if (reason === "RateLimited" || reason === "DailyLimit") return reason
  return operation === "list" && reason === "BadOption" ? "BadCursor" : "Unavailable"
}
