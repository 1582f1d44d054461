import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { applyAll, type DurableCache, type DurableCacheError, entriesOf } from "../../services/durable/DurableCache.ts"
import { pageOf } from "../../services/durable/model/ShardListing.ts"
import type { RecordedTopologyService } from "../../services/durable/RecordedTopology.ts"
import type { ShardWrite } from "../../services/durable/Shard.ts"
import { type DurableStoreOfRecord, type Head, StoreOfRecordError } from "../../services/migration/StoresOfRecord.ts"
import type { Snapshots } from "../../services/snapshots/Snapshots.ts"
import { makeAdaptiveBatchSize } from "./internal/adaptiveBatchSize.ts"
import { bringing, deleting, forgetting, isNote, noteOf, remembered, remembering } from "./internal/handoverNotes.ts"
import { marksIn, snapshotFailed } from "./internal/shardSnapshots.ts"

/** How long one call of the objects may take: they wait out failures of KV while they save. */
const patience = Duration.minutes(1)

/** How long they may take to show that they are there. */
const lookout = Duration.seconds(10)

/**
 * The objects as a whole. They tell no marks themselves, their snapshots do; and they take none, so a copy into
 * them must remove what a mark has ended.
 */
export const make = (
  durable: Context.Tag.Service<DurableCache>,
  snapshots: Context.Tag.Service<Snapshots>,
  shards: number,
  recorded?: RecordedTopologyService,
  isPacked: (id: string) => boolean = () => false
): DurableStoreOfRecord => {
  const batchSize = makeAdaptiveBatchSize()

  const asking =
    (operation: StoreOfRecordError["operation"], duration = patience) =>
    <A>(effect: Effect.Effect<A, DurableCacheError>): Effect.Effect<A, StoreOfRecordError> =>
      effect.pipe(
        Effect.timeoutFail({
          duration,
          onTimeout: () => new StoreOfRecordError({ operation, reason: "Unavailable" })
        }),
        Effect.catchTag("DurableCacheError", (cause) =>
          Effect.fail(
            new StoreOfRecordError({
              operation,
              reason: cause.reason === "Overloaded" ? "Overloaded" : "Unavailable",
              cause
            })
          )
        )
      )

  const apply = (operation: StoreOfRecordError["operation"], writes: ReadonlyArray<ShardWrite>) =>
    writes.length === 0 ? Effect.void : asking(operation)(applyAll(durable, writes))

  const getMany = (operation: StoreOfRecordError["operation"], ids: ReadonlyArray<string>) =>
    ids.length === 0 ? Effect.succeed([]) : asking(operation)(entriesOf(durable, ids))

  const leading = (operation: StoreOfRecordError["operation"], ids: ReadonlyArray<string>) =>
    Effect.tap(getMany(operation, batchSize.of(ids)), (entries) => Effect.sync(() => batchSize.received(entries)))

  return {
    reachable: Effect.isSuccess(asking("open", lookout)(durable.list("", undefined, 1))),
    settle: asking("adopt")(Effect.zipRight(durable.restore(), durable.flush)),
    marks: Effect.mapError(marksIn(snapshots, shards, recorded), snapshotFailed("marks")),
    page: (cursor, limit) =>
      Effect.gen(function* () {
        const listed = yield* asking("page")(durable.list("", cursor, limit))
        const { next, rows } = pageOf(listed, limit)
        const ids = rows.filter(({ id }) => !isNote(id)).map(({ id }) => id)
        const entries = yield* getMany("page", ids)
        const heads = ids.flatMap((id, index): ReadonlyArray<Head> => {
          const entry = entries[index]
          return entry === undefined ? [] : [{ id, version: entry.stamp, expiresAt: entry.expiresAt, tags: entry.tags }]
        })
        return { heads, cursor: next === undefined || isNote(next) ? undefined : next }
      }),
    read: (asked) =>
      leading(
        "read",
        asked.map(({ id }) => id)
      ),
    write: (entries) =>
      Effect.as(
        apply(
          "write",
          entries.map(({ entry, id }) => bringing(id, entry, isPacked(id)))
        ),
        entries.map(() => true)
      ),
    remove: (gone) => apply("remove", gone.map(deleting)),
    agreed: (ids) => Effect.map(getMany("agree", ids.map(noteOf)), (notes) => notes.map(remembered)),
    agree: (heads, to) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => apply("agree", heads.map(remembering(to, now)))),
    forget: (ids) => Effect.flatMap(Clock.currentTimeMillis, (now) => apply("agree", ids.map(forgetting(now))))
  }
}
