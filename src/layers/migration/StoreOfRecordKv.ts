import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import { later } from "../../services/durable/Shard.ts"
import { type Kv, KvError } from "../../services/kv/Kv.ts"
import { pageBehind } from "../../services/kv/model/PhysicalKey.ts"
import {
  type Head,
  type KvStoreOfRecord,
  StoreOfRecordError,
  type Versioned
} from "../../services/migration/StoresOfRecord.ts"
import type { Settings } from "../../services/settings/Settings.ts"
import { type Collection, define, isCollectionName } from "../../services/store/model/Collection.ts"
import { compareStamps, type Entry, isInvalidated, type Stamp, zeroStamp } from "../../services/store/model/Entry.ts"
import { hashedTag } from "../../services/store/model/Tags.ts"
import { type Address, addressOf } from "../../services/tiers/ReadPath.ts"
import { makeKvRecords } from "../packing/kvRecords.ts"
import { makePackedEntries } from "../routing/packedEntries.ts"
import { isUnreadable, makeTagMarks, markNames, marksByTag, namesIn, type Tagged } from "../routing/tagMarks.ts"
import { makeAdaptiveBatchSize } from "./internal/adaptiveBatchSize.ts"
import { makeKvHeads } from "./internal/kvHeads.ts"

const unreadableMark = new KvError({
  operation: "get",
  reason: "Unavailable",
  cause: new Error("the mark of a tag cannot be read: invalidate the tag again")
})

/**
 * The namespace of the KV mode as a whole. A listing tells the version of nearly every entry, so that only what must
 * be copied is read. Marks are read once per tag.
 */
export const make = (kv: Context.Tag.Service<Kv>, settings: Context.Tag.Service<Settings>): KvStoreOfRecord => {
  const records = makeKvRecords(kv, settings)
  const entriesOf = makePackedEntries(kv, settings)
  const packed = entriesOf.pages
  const roots = new Map<string, boolean>()
  const tagMarks = makeTagMarks(kv)
  const marks = new Map<string, Stamp>()
  const headsOf = makeKvHeads(kv)
  const batchSize = makeAdaptiveBatchSize()
  const undeclared = new Map<string, Collection>()

  const addressOfId = (id: string): Address => {
    const slash = id.indexOf("/")
    const name = id.slice(0, slash)
    const collection = undeclared.get(name) ?? settings.collections.get(name) ?? define(name)
    undeclared.set(name, collection)
    return addressOf(collection, id.slice(slash + 1))
  }

  /** All that a root leads to, at once: its pages look like those that have been split. */
  const headsInPages = (name: string): Effect.Effect<ReadonlyArray<Head>, KvError> => {
    const behind = pageBehind(name)
    if (behind === undefined || behind.name !== "" || !isCollectionName(behind.collection)) return Effect.succeed([])
    const { collection } = behind
    const known = settings.collections.get(collection) ?? define(collection, { packed: true })
    const declared = { ...known, policy: { ...known.policy, packed: known.policy.packed ?? false } }
    undeclared.set(collection, declared)
    roots.set(collection, true)
    return Effect.map(packed.heads(declared), (heads = []) =>
      heads.map(({ key, ...head }) => ({ id: `${collection}/${key}`, ...head }))
    )
  }

  /** Own keys of a packed collection that has pages are what it was before, or told of by its pages. */
  const isSuperseded = ({ id }: Head): Effect.Effect<boolean, KvError> => {
    const { collection } = addressOfId(id)
    const known = roots.get(collection.name)
    if (collection.policy.packed === undefined || known !== undefined) return Effect.succeed(known === true)
    return Effect.tap(packed.exists(collection), (exists) => Effect.sync(() => roots.set(collection.name, exists)))
  }

  const readNames = (names: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, Stamp>, KvError> => {
    const unread = names.filter((name) => !marks.has(name))
    if (unread.length === 0) return Effect.succeed(marks)
    return Effect.map(tagMarks.read(unread), (stamps) => {
      for (const name of unread) marks.set(name, stamps.get(name) ?? zeroStamp)
      return marks
    })
  }

  const readMarks = (entries: Iterable<Tagged>): Effect.Effect<ReadonlyMap<string, Stamp>, KvError> => {
    const names = markNames(entries)
    return Effect.flatMap(readNames(namesIn(names)), (stamps) => {
      const byTag = marksByTag(names, stamps)
      // Nothing is handed over, and nothing deleted in the other store, for the sake of a mark that nobody can read.
      return [...byTag.values()].some(isUnreadable) ? Effect.fail(unreadableMark) : Effect.succeed(byTag)
    })
  }

  /** Those neither expired nor ended by a tag. */
  const living = <A extends { readonly expiresAt: number }>(
    found: ReadonlyArray<A>,
    taggedOf: (one: A) => Tagged
  ): Effect.Effect<ReadonlySet<A>, KvError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const unexpired = found.filter(({ expiresAt }) => now < expiresAt)
      return Effect.map(
        readMarks(unexpired.map(taggedOf)),
        (marks) => new Set(unexpired.filter((one) => !isInvalidated(taggedOf(one), marks)))
      )
    })

  const page: KvStoreOfRecord["page"] = (cursor, limit) =>
    Effect.gen(function* () {
      const listed = yield* kv.list({ limit, ...(cursor === undefined ? {} : { cursor }) })
      const inPages = yield* Effect.forEach(listed.keys, ({ name }) => headsInPages(name))
      const own = yield* Effect.filter(yield* headsOf(listed.keys), (head) => Effect.negate(isSuperseded(head)))
      const heads = [...own, ...inPages.flat()]
      const alive = yield* living(heads, taggedOfHead)
      return { heads: heads.filter((head) => alive.has(head)), cursor: listed.cursor }
    }).pipe(Effect.mapError(failed("page")))

  /** One by one what Larder did not write: a bulk read would drop a byte order mark, for good. */
  const observe = (asked: ReadonlyArray<Versioned>): Effect.Effect<ReadonlyMap<string, Entry>, KvError> =>
    Effect.gen(function* () {
      const addresses = asked.map(({ id }) => addressOfId(id))
      const isInPages = ({ collection }: Address) => collection.policy.packed || roots.get(collection.name) === true
      const isForeign = (address: Address, index: number) =>
        !isInPages(address) && compareStamps(asked[index]!.version, zeroStamp) === 0
      const inPages = addresses.filter(isInPages)
      const foreign = addresses.filter(isForeign)
      const ours = addresses.filter((address, index) => !isInPages(address) && !isForeign(address, index))
      const observations = [
        ...(ours.length === 0 ? [] : yield* records.readMany(ours)),
        ...(yield* Effect.forEach(foreign, records.read, { concurrency: openConnections })),
        ...(inPages.length === 0 ? [] : (yield* packed.readMany(inPages)).observations)
      ]
      const found = new Map<string, Entry>()
      for (const [index, { id }] of [...ours, ...foreign, ...inPages].entries()) {
        const { entry } = observations[index]!
        if (entry !== undefined) found.set(id, entry)
      }
      return found
    })

  return {
    page,
    read: (asked) =>
      Effect.gen(function* () {
        const batch = batchSize.of(asked)
        const found = yield* observe(batch)
        const alive = yield* living([...found.values()], (entry) => entry)
        const entries = batch.map(({ id }) => found.get(id))
        batchSize.received(entries)
        return entries.map((entry) => (entry !== undefined && alive.has(entry) ? entry : undefined))
      }).pipe(Effect.mapError(failed("read"))),
    write: (entries) =>
      Effect.gen(function* () {
        if (entries.length === 0) return []
        const now = yield* Clock.currentTimeMillis
        const before = yield* observe(entries.map(({ entry, id }) => ({ id, version: entry.stamp })))
        const left = entries.filter(({ entry, id }) => {
          const there = before.get(id)
          return there === undefined || compareStamps(there.stamp, entry.stamp) < 0
        })
        const errors = yield* entriesOf.writeMany(
          left.map(({ entry, id }) => ({ address: addressOfId(id), entry, stamp: entry.stamp })),
          now
        )
        const refused = new Set<string>()
        for (const [index, { id }] of left.entries()) {
          const error = errors[index]
          if (error === undefined) continue
          if (!isOfOne(error)) return yield* error
          yield* Effect.logWarning(`KV did not take ${id}`, error)
          refused.add(id)
        }
        return entries.map(({ id }) => !refused.has(id))
      }).pipe(Effect.mapError(failed("write"))),
    remove: (gone) =>
      Effect.forEach(
        gone,
        ({ id, version }) =>
          Effect.flatMap(observe([{ id, version }]), (found) => {
            const entry = found.get(id)
            if (entry === undefined || compareStamps(entry.stamp, version) !== 0) return Effect.void
            const stamp = { ...version, counter: version.counter + 1 }
            return Effect.flatMap(Clock.currentTimeMillis, (now) =>
              Effect.flatMap(
                entriesOf.writeMany([{ address: addressOfId(id), entry: undefined, stamp }], now),
                ([error]) => error ?? Effect.void
              )
            )
          }),
        { concurrency: openConnections, discard: true }
      ).pipe(Effect.mapError(failed("remove"))),
    marksOf: (heads) => Effect.mapError(readMarks(heads.map(taggedOfHead)), failed("marks")),
    carry: (carried) =>
      Effect.gen(function* () {
        const latest = new Map<string, Stamp>()
        for (const [tag, mark] of carried)
          latest.set(hashedTag(tag), later(mark, latest.get(hashedTag(tag)) ?? zeroStamp))
        const known = yield* readNames([...latest.keys()])
        if ([...latest.keys()].some((name) => isUnreadable(known.get(name)!))) return yield* unreadableMark
        const higher = [...latest].filter(([name, mark]) => compareStamps(mark, known.get(name)!) > 0)
        yield* Effect.forEach(higher, ([name, mark]) => tagMarks.write(name, mark), {
          concurrency: openConnections,
          discard: true
        })
        for (const [name, mark] of higher) marks.set(name, mark)
      }).pipe(Effect.mapError(failed("marks")))
  }
}

const taggedOfHead = ({ tags, version }: Pick<Head, "tags" | "version">): Tagged => ({ tags, stamp: version })

/** Whether the error speaks of the entry, not of KV. */
const isOfOne = ({ reason }: KvError): boolean =>
  reason === "RateLimited" || reason === "TooLarge" || reason === "BadKey"

const failed =
  (operation: StoreOfRecordError["operation"]) =>
  (cause: KvError): StoreOfRecordError =>
    new StoreOfRecordError({ operation, reason: reasonOf(cause), cause })

const reasonOf = ({ operation, reason }: KvError): StoreOfRecordError["reason"] => {
  if (reason === "RateLimited" || reason === "DailyLimit") return reason
  return operation === "list" && reason === "BadOption" ? "BadCursor" : "Unavailable"
}
