import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import type { RecordedTopologyService } from "../../services/durable/RecordedTopology.ts"
import type { ShardImage, ShardRow, ShardWrite } from "../../services/durable/Shard.ts"
import { compareUtf8 } from "../../services/kv/model/KvPaging.ts"
import { type SnapshotStoreOfRecord, StoreOfRecordError } from "../../services/migration/StoresOfRecord.ts"
import type { Outbox, OutboxError } from "../../services/snapshots/Outbox.ts"
import type { Snapshots } from "../../services/snapshots/Snapshots.ts"
import { compareStamps, type Entry, isInvalidated, type Stamp } from "../../services/store/model/Entry.ts"
import { forgetting, isNote, noteOf, remembered, remembering } from "./internal/handoverNotes.ts"
import { lastInvalidations, snapshotFailed, snapshotNames } from "./internal/shardSnapshots.ts"

/**
 * What the objects held when they last saved it, and what has been kept outside of them since. All of it is read at
 * once and kept, for one run; what is to be remembered waits in the outbox, too, until the objects are back.
 */
export const make = (
  snapshots: Context.Tag.Service<Snapshots>,
  outbox: Context.Tag.Service<Outbox>,
  shards: number,
  recorded?: RecordedTopologyService
): Effect.Effect<SnapshotStoreOfRecord> =>
  Effect.map(Effect.cached(load(snapshots, outbox, shards, recorded)), (loaded) => {
    const alive = (id: string, row: SavedRow | undefined, marks: Loaded["marks"], now: number): Entry | undefined => {
      if (row?.body === undefined || now >= row.body.expiresAt) return undefined
      const entry = { ...row.body, stamp: row.version }
      return isInvalidated(entry, row.marks, id) || isInvalidated(entry, marks, id) ? undefined : entry
    }

    const entriesOf = (ids: ReadonlyArray<string>) =>
      Effect.zipWith(loaded, Clock.currentTimeMillis, ({ marks, rows }, now) =>
        ids.map((id) => alive(id, rows.get(id), marks, now))
      )

    /** As what they will be when they are taken in: ordered by their own stamps. */
    const park = (writesAt: (now: number) => ReadonlyArray<ShardWrite>) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const writes = writesAt(now).map(({ body, id, stamp }) => ({ body, id, stamp }))
        return writes.length === 0 ? Effect.void : Effect.mapError(outbox.park(writes, now), outboxFailed)
      })

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
      agreed: (ids) => Effect.map(entriesOf(ids.map(noteOf)), (notes) => notes.map(remembered)),
      agree: (heads, to) => park((now) => heads.map(remembering(to, now))),
      forget: (ids) => park((now) => ids.map(forgetting(now)))
    }
  })

/** A row, and the marks of the shard that saved it. */
interface SavedRow extends Pick<ShardRow, "version" | "body"> {
  readonly marks: ReadonlyMap<string, Stamp>
}

const noMarks: SavedRow["marks"] = new Map()

interface Loaded {
  readonly rows: ReadonlyMap<string, SavedRow>
  /** In order, notes left out. */
  readonly ids: ReadonlyArray<string>
  readonly marks: ReturnType<typeof lastInvalidations>
}

/** Names of the outbox that are read, the newest: an invocation has 1,000 operations for all it does. */
const mostNames = 300

const load = (
  snapshots: Context.Tag.Service<Snapshots>,
  outbox: Context.Tag.Service<Outbox>,
  shards: number,
  recorded: RecordedTopologyService | undefined
): Effect.Effect<Loaded, StoreOfRecordError> =>
  Effect.gen(function* () {
    const rows = new Map<string, SavedRow>()
    const marks = yield* Effect.forEach(
      yield* Effect.mapError(snapshotNames(shards, recorded), snapshotFailed("page")),
      (name) => Effect.mapError(loadInto(rows, snapshots, name), snapshotFailed("page"))
    )
    const parked = yield* Effect.mapError(parkedIn(outbox), outboxFailed)
    for (const { body, id, stamp } of parked) {
      const row = rows.get(id)
      if (row === undefined || compareStamps(stamp, row.version) > 0)
        rows.set(id, { version: stamp, body, marks: noMarks })
    }
    const ids = [...rows.keys()].filter((id) => !isNote(id)).sort(compareUtf8)
    return { rows, ids, marks: lastInvalidations(marks) }
  })

/** The rows of one snapshot into those of the others; gives its marks. */
const loadInto = (rows: Map<string, SavedRow>, snapshots: Context.Tag.Service<Snapshots>, name: string) => {
  const marks = new Map<string, Stamp>()
  const take = ({ rows: saved, tags }: ShardImage) =>
    Effect.sync(() => {
      for (const [tag, mark] of tags) marks.set(tag, mark)
      for (const { body, id, version } of saved) {
        const known = rows.get(id)
        // Of a row that has moved, the object that has it now knows what became of it.
        if (known === undefined || compareStamps(version, known.version) >= 0) rows.set(id, { body, version, marks })
      }
    })
  return Effect.as(snapshots.load(name, take), marks)
}

/** What waits outside of the objects, loaders' fills left out: they are no writes. */
const parkedIn = (outbox: Context.Tag.Service<Outbox>): Effect.Effect<ReadonlyArray<ShardWrite>, OutboxError> =>
  Effect.gen(function* () {
    const names: Array<string> = []
    let cursor: string | undefined
    do {
      const page = yield* outbox.list(cursor)
      names.push(...page.names)
      cursor = page.cursor
    } while (cursor !== undefined)
    if (names.length > mostNames) {
      yield* Effect.logWarning(`of ${names.length} names in the outbox only the newest ${mostNames} were read`)
    }
    const writes = yield* Effect.forEach(
      names.slice(-mostNames),
      (name) =>
        Effect.catchIf(
          outbox.read(name),
          ({ reason }) => reason === "Damaged",
          (error) => Effect.as(Effect.logWarning(`the outbox's ${name} could not be read`, error), undefined)
        ),
      { concurrency: openConnections }
    )
    return writes.flatMap((found) => found ?? []).filter(({ lease }) => lease === undefined)
  })

const outboxFailed = (cause: OutboxError): StoreOfRecordError =>
  new StoreOfRecordError({
    operation: "agree",
    reason: cause.reason === "RateLimited" || cause.reason === "DailyLimit" ? cause.reason : "Unavailable",
    cause
  })
