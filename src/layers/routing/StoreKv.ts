import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Background } from "../../services/base/Background.ts"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import { Batcher, type BatcherService, off } from "../../services/batching/Batcher.ts"
import { Kv, propagationMillis } from "../../services/kv/Kv.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import type { KvKind } from "../../services/ledger/model/KvKind.ts"
import { longestAge, Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { hashedTag } from "../../services/store/model/Tags.ts"
import { Stamper } from "../../services/store/Stamper.ts"
import {
  type Change,
  changesBy,
  entryOf,
  Store,
  type StoreError,
  type StoreResult,
  type Written
} from "../../services/store/Store.ts"
import { EdgeCache } from "../../services/tiers/EdgeCache.ts"
import { addressOf, ReadPath } from "../../services/tiers/ReadPath.ts"
import { toStoreError } from "../packing/kvRecords.ts"
import { makeLogical, refusedInKv } from "../store/logical.ts"
import { makeFillAdmission } from "./internal/fillAdmission.ts"
import { withDeadlines } from "./internal/kvDeadlines.ts"
import { makeKvReads, markOf, tagCollection } from "./internal/kvReads.ts"
import { makeKvWrites } from "./internal/kvWrites.ts"
import { makeLoads } from "./internal/loads.ts"
import { type KvEntries, makeKvEntries } from "./kvEntries.ts"
import { makeTagMarks } from "./tagMarks.ts"

export interface Parts {
  readonly kv: Kv["Type"]
  readonly readPath: ReadPath["Type"]
  readonly settings: Settings["Type"]
  readonly stamper: Stamper["Type"]
  readonly ledger: Ledger["Type"]
  readonly batcher?: BatcherService
  /** Where a location remembers what its isolates have loaded. */
  readonly edge?: EdgeCache["Type"] | undefined
}

/** How entries lie in the namespace. */
type Entries = (kv: Kv["Type"], settings: Settings["Type"], edge: EdgeCache["Type"] | undefined) => KvEntries

/** KV as the store of record, behind memory, edge and single-flight. One entry key, one billed read per miss. */
export const make = (
  { batcher = off, edge, kv, ledger, readPath, settings, stamper }: Parts,
  entriesOf: Entries = makeKvEntries
): Store["Type"] => {
  const timed = withDeadlines(kv, settings)
  const entries = entriesOf(timed, settings, edge)
  const tagMarks = makeTagMarks(timed)
  const logical = makeLogical(ledger)
  const { authority, authorityOfMany, stillListed, storedOfMany } = makeKvReads(readPath, entries, tagMarks, batcher)
  const writes = makeKvWrites(readPath, settings, entries, batcher, storedOfMany)

  const loads = makeLoads(
    readPath,
    settings,
    stamper,
    (address, entry, stamp) =>
      Effect.flatMap(batcher.write([{ address, entry, stamp }], entries.writeMany), ([outcome]) =>
        outcome!.error === undefined ? Effect.void : Effect.fail(outcome!.error)
      ),
    makeFillAdmission(edge, settings)
  )

  /** What was buffered long enough is flushed when the operation that finds it so has its answer. */
  const flushDue = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    batcher.isDue(now) ? Effect.flatMap(Background, (background) => background.run(batcher.flush("due"))) : Effect.void
  )

  const asked = <A, E, R>(
    kind: KvKind,
    collection: Collection,
    keys: ReadonlyArray<string>,
    run: () => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | StoreError, R> => Effect.zipLeft(logical.on(kind, collection, keys, run), flushDue)

  const operationOf = (change: Change) => ("remove" in change ? "delete" : "set")

  /** Changes of distinct keys that KV would take; one result each. */
  const changeAll = (
    collection: Collection,
    changes: ReadonlyArray<Change>
  ): Effect.Effect<ReadonlyArray<StoreResult<Written>>> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const stamped = changes.map((change) => {
        const address = addressOf(collection, change.key)
        const stamp = stamper.next(now)
        if ("remove" in change) return { address, entry: undefined, stamp }
        const { key: _, value, ...options } = change
        return { address, entry: entryOf(collection, value, options, stamp, now), stamp }
      })
      const replaced = stamped.map(({ address }) => readPath.known(address, now)?.entry !== undefined)
      const urgent = changes.some((change) => !("remove" in change) && change.urgent === true)
      return Effect.map(writes.write(stamped, { urgent }), (results) =>
        results.map(({ instead, outcome }, index): StoreResult<Written> => {
          if (outcome.error !== undefined) {
            return { _tag: "Failed", error: toStoreError(operationOf(changes[index]!))(outcome.error) }
          }
          const { entry, stamp } = stamped[index]!
          const value = {
            stamp: instead?.stamp ?? stamp,
            acknowledged: outcome.acknowledged,
            replaced: replaced[index]!,
            expiresAt: (instead ?? entry)?.expiresAt ?? now
          }
          return { _tag: "Done", value }
        })
      )
    })

  const writeMany: Store["Type"]["writeMany"] = (collection, changes) =>
    Effect.zipLeft(
      logical.changing(collection, changes, (last) => changeAll(collection, last), refusedInKv),
      flushDue
    )

  return {
    held: (collection, key, now) => {
      if (batcher.isDue(now)) return undefined
      const found = readPath.held(addressOf(collection, key), now)
      if (found !== undefined) logical.asked("reads", collection, 1)
      return found
    },

    get: (collection, key) =>
      asked("reads", collection, [key], () => {
        const address = addressOf(collection, key)
        return readPath.read(address, { authority: Effect.suspend(() => authority(address)) })
      }),

    getMany: (collection, keys, maxBytes) =>
      Effect.zipLeft(
        logical.reading(collection, keys, (legal) =>
          readPath.readMany(
            legal.map((key) => addressOf(collection, key)),
            (missing) => authorityOfMany(missing, maxBytes)
          )
        ),
        flushDue
      ),

    getOrLoad: (collection, key, load) =>
      asked("reads", collection, [key], () => {
        const address = addressOf(collection, key)
        return readPath.read(address, {
          authority: Effect.suspend(() => authority(address)),
          load: loads.leased(address, load)
        })
      }),

    ...changesBy(writeMany),

    list: (collection, options) =>
      asked("lists", collection, [], () =>
        Effect.zipRight(
          batcher.flush(collection),
          Effect.flatMap(Effect.mapError(entries.list(collection, options), toStoreError("list")), ({ cursor, keys }) =>
            Effect.map(stillListed(collection, keys), (living) => ({ keys: living, cursor }))
          )
        )
      ),

    invalidateTags: (tags) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const stamp = stamper.next(now)
        const distinct = [...new Set(tags)]
        readPath.invalidate(distinct, stamp)
        return Effect.forEach(
          distinct,
          (tag) =>
            Effect.zipRight(
              // What became of a mark that failed is unknown: the next read asks KV.
              Effect.tapError(tagMarks.write(tag, stamp), () =>
                readPath.drop(addressOf(tagCollection, hashedTag(tag)))
              ),
              readPath.remember(addressOf(tagCollection, hashedTag(tag)), { entry: markOf(stamp), readAt: now })
            ),
          { concurrency: openConnections, discard: true }
        ).pipe(
          Effect.mapBoth({
            onFailure: toStoreError("invalidateTags"),
            onSuccess: () => ({ boundMillis: longestAge(settings) + propagationMillis })
          })
        )
      }),

    clear: (collection) =>
      Effect.suspend(() => {
        const buffered = batcher.discard(collection)
        return Effect.map(entries.clear(collection), (done) => ({ ...done, deleted: done.deleted + buffered }))
      }).pipe(
        Effect.mapError(toStoreError("clear")),
        Effect.ensuring(
          Effect.map(Clock.currentTimeMillis, (at) => {
            readPath.forget(collection, at)
          })
        )
      ),

    stats: () => ({ unchangedWrites: writes.unchanged(), pages: entries.pageStats() })
  }
}

/** @param over what stands before the store */
export const layerOf = (
  entriesOf: Entries,
  over: (store: Store["Type"], parts: Parts) => Store["Type"] = (store) => store
): Layer.Layer<Store, never, Kv | ReadPath | Settings | Stamper | Ledger> =>
  Layer.effect(
    Store,
    Effect.gen(function* () {
      const parts = {
        kv: yield* Kv,
        readPath: yield* ReadPath,
        settings: yield* Settings,
        stamper: yield* Stamper,
        ledger: yield* Ledger,
        batcher: yield* Batcher,
        edge: Option.getOrUndefined(yield* Effect.serviceOption(EdgeCache))
      }
      return over(make(parts, entriesOf), parts)
    })
  )

/** For collections that are not packed, and lists that are seldom asked for; StoreKvPacked is for all. */
export const layer = layerOf(makeKvEntries)
