import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { objectName, ownerOf, type Topology } from "../../../services/durable/model/Topology.ts"
import { generationsIn, type RecordedTopologyService } from "../../../services/durable/RecordedTopology.ts"
import { type ShardRow, type ShardWrite, shardOf } from "../../../services/durable/Shard.ts"
import { type Outbox, OutboxError } from "../../../services/snapshots/Outbox.ts"
import { type SavedImage, type Snapshots, SnapshotsError } from "../../../services/snapshots/Snapshots.ts"
import { compareStamps, type Entry, isInvalidated, type Stamp } from "../../../services/store/model/Entry.ts"
import { within } from "../../base/internal/guard.ts"
import { makeRecent } from "../../base/internal/recent.ts"

/** How long an isolate goes by one reading of a snapshot while its shard is out of reach. */
const imageMillis = 60_000

/** Snapshots that are kept open: each is up to 8 MiB as it lies in KV. */
const maxImages = 4

/** Outside writes that ride along with one RPC; the sweep brings the rest. */
const maxCarried = 1000

/**
 * What an isolate does while a shard cannot be reached: parks its writes and knows them, and reads whatever else there
 * is from the shard's snapshot.
 *
 * @param deadline how long KV may take for any of it
 * @param recorded which objects' snapshots to read; those of the first generation without it
 */
export const makeOutageStore = (
  outbox: Outbox["Type"],
  snapshots: Snapshots["Type"],
  shards: number,
  deadline: Duration.Duration,
  recorded?: RecordedTopologyService
) => {
  const tooSlowToLoad = () => new SnapshotsError({ operation: "load", reason: "Unavailable" })
  const tooSlowToPark = () => new OutboxError({ operation: "park", reason: "Unavailable" })

  const parked = new Map<string, ShardWrite>()
  const images = makeRecent<string, Kept<SavedImage>>(maxImages)
  let generations: Kept<ReadonlyArray<Topology>> | undefined

  const generationsNow: Effect.Effect<ReadonlyArray<Topology>> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (generations !== undefined && now < generations.until) return Effect.succeed(generations.value)
    const read = recorded === undefined ? Effect.succeed(undefined) : within(deadline, tooSlowToLoad)(recorded.read)
    return read.pipe(
      Effect.map((record) => generationsIn(record, shards)),
      Effect.catchAll((error) =>
        Effect.as(
          Effect.logWarning("it could not be read which objects there are", error),
          generations?.value ?? [{ generation: 0, shards }]
        )
      ),
      Effect.tap((value) =>
        Effect.sync(() => {
          generations = { value, until: now + imageMillis }
        })
      )
    )
  })

  const imageOf = (object: string): Effect.Effect<SavedImage> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const known = images.get(object)
      if (known !== undefined && now < known.until) return Effect.succeed(known.value)
      return snapshots.open(object).pipe(
        within(deadline, tooSlowToLoad),
        Effect.map((image) => image ?? noImage),
        Effect.catchAll(unread(known?.value ?? noImage)),
        Effect.tap((value) => Effect.sync(() => images.put(object, { value, until: now + imageMillis })))
      )
    })

  const rowIn = (image: SavedImage, id: string): Effect.Effect<ShardRow | undefined> =>
    image.find(id).pipe(within(deadline, tooSlowToLoad), Effect.catchAll(unread(undefined)))

  /** While keys move, two objects may have saved one: the higher version counts, and what ended it since. */
  const saved = (id: string): Effect.Effect<Entry | undefined> =>
    Effect.gen(function* () {
      const all = yield* generationsNow
      const images = yield* Effect.forEach(all, (topology) => imageOf(objectName(ownerOf(topology, id))))
      const found = yield* Effect.forEach(images, (image) => rowIn(image, id))
      const rows = found.flatMap((row, from) => (row === undefined ? [] : [{ ...row, from }]))
      const row = rows.sort((a, b) => compareStamps(b.version, a.version))[0]
      if (row?.body === undefined) return undefined
      const entry = { ...row.body, stamp: row.version }
      return images.slice(row.from).some(({ tags }) => isInvalidated(entry, tags)) ? undefined : entry
    })

  return {
    /** Kept as one KV value; known here from now on. */
    park: (writes: ReadonlyArray<ShardWrite>, now: number): Effect.Effect<void, OutboxError> =>
      Effect.map(within(deadline, tooSlowToPark)(outbox.park(writes, now)), () => {
        for (const write of writes) parked.set(write.id, write)
      }),

    /** Own outside writes that belong to the shards of these ids. */
    carried: (ids: ReadonlyArray<string>): ReadonlyArray<ShardWrite> => {
      if (parked.size === 0) return []
      const going = new Set(ids.map((id) => shardOf(id, shards)))
      return [...parked.values()].filter(({ id }) => going.has(shardOf(id, shards))).slice(0, maxCarried)
    },

    delivered: (write: ShardWrite): void => {
      if (parked.get(write.id) === write) parked.delete(write.id)
    },

    /** The latest that can be told of an id without its shard; `held` is what memory still has of it. */
    read: (id: string, held: Entry | undefined): Effect.Effect<Entry | undefined> => {
      const write = parked.get(id)
      if (write !== undefined && later(write.stamp, held?.stamp)) {
        return Effect.succeed(write.body && { ...write.body, stamp: write.stamp })
      }
      return Effect.map(saved(id), (entry) => (entry !== undefined && later(entry.stamp, held?.stamp) ? entry : held))
    }
  }
}

const later = (stamp: Stamp, than: Stamp | undefined): boolean => than === undefined || compareStamps(stamp, than) > 0

interface Kept<A> {
  readonly value: A
  /** Milliseconds since the epoch. */
  readonly until: number
}

const noImage: SavedImage = { tags: new Map(), find: () => Effect.succeed(undefined) }

/** What there is instead, with a warning. */
const unread =
  <A>(instead: A) =>
  (error: SnapshotsError): Effect.Effect<A> =>
    Effect.as(Effect.logWarning("a snapshot could not be read", error), instead)
