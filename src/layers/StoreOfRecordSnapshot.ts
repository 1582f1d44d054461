import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { type Entry, isInvalidated } from "../services/Entry.ts"
import { compareUtf8 } from "../services/KvPaging.ts"
import type { Outbox, OutboxError } from "../services/Outbox.ts"
import type { ShardRow, ShardWrite } from "../services/Shard.ts"
import type { Snapshots } from "../services/Snapshots.ts"
import { type SnapshotStoreOfRecord, StoreOfRecordError } from "../services/StoresOfRecord.ts"
import { forgetting, isNote, noteOf, remembering } from "./internal/handOverNotes.ts"
import { latestMarks, snapshotFailed, snapshotNames } from "./internal/shardSnapshots.ts"

/**
 * What the objects held when they last saved it. All of it is read at once and kept for the run; what is to be
 * remembered of it waits in the outbox until the objects are back.
 */
export const make = (
  snapshots: Context.Tag.Service<Snapshots>,
  outbox: Context.Tag.Service<Outbox>,
  shards: number
): Effect.Effect<SnapshotStoreOfRecord> =>
  Effect.map(Effect.cached(load(snapshots, shards)), (loaded) => {
    const alive = (row: ShardRow | undefined, marks: Loaded["marks"], now: number): Entry | undefined => {
      if (row?.body === undefined || now >= row.body.expiresAt) return undefined
      const entry = { ...row.body, stamp: row.version }
      return isInvalidated(entry, marks) ? undefined : entry
    }

    const entriesOf = (ids: ReadonlyArray<string>) =>
      Effect.zipWith(loaded, Clock.currentTimeMillis, ({ marks, rows }, now) =>
        ids.map((id) => alive(rows.get(id), marks, now))
      )

    const park = (writes: ReadonlyArray<ShardWrite>) =>
      writes.length === 0
        ? Effect.void
        : Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.mapError(outbox.park(writes, now), parkFailed))

    return {
      marks: Effect.map(loaded, ({ marks }) => marks),
      page: (cursor, limit) =>
        Effect.gen(function* () {
          const { ids } = yield* loaded
          const from = cursor === undefined ? 0 : ids.findIndex((id) => compareUtf8(id, cursor) > 0)
          const part = from === -1 ? [] : ids.slice(from, from + limit)
          const entries = yield* entriesOf(part)
          const heads = part.flatMap((id, index) => {
            const entry = entries[index]
            return entry === undefined
              ? []
              : [{ id, version: entry.stamp, expiresAt: entry.expiresAt, tags: entry.tags }]
          })
          return { heads, cursor: part.length < limit ? undefined : part.at(-1) }
        }),
      read: (asked) => entriesOf(asked.map(({ id }) => id)),
      agreed: (ids) => Effect.map(entriesOf(ids.map(noteOf)), (notes) => notes.map((note) => note?.stamp)),
      agree: (heads) => park(heads.map(remembering)),
      forget: (gone) => park(gone.map(forgetting))
    }
  })

interface Loaded {
  readonly rows: ReadonlyMap<string, ShardRow>
  /** In order, notes left out. */
  readonly ids: ReadonlyArray<string>
  readonly marks: ReturnType<typeof latestMarks>
}

const load = (snapshots: Context.Tag.Service<Snapshots>, shards: number): Effect.Effect<Loaded, StoreOfRecordError> =>
  Effect.forEach(snapshotNames(shards), snapshots.load).pipe(
    Effect.map((loaded) => {
      const images = loaded.filter((image) => image !== undefined)
      const rows = new Map(images.flatMap((image) => image.rows.map((row) => [row.id, row] as const)))
      const ids = [...rows.keys()].filter((id) => !isNote(id)).sort(compareUtf8)
      return { rows, ids, marks: latestMarks(images.map(({ tags }) => tags)) }
    }),
    Effect.mapError(snapshotFailed("page"))
  )

const parkFailed = (cause: OutboxError): StoreOfRecordError =>
  new StoreOfRecordError({
    operation: "agree",
    reason: cause.reason === "RateLimited" || cause.reason === "DailyLimit" ? cause.reason : "Unavailable",
    cause
  })
