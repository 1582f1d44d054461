import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { compareStamps, type Entry, isInvalidated, type Stamp } from "../../services/Entry.ts"
import { type Outbox, OutboxError } from "../../services/Outbox.ts"
import { type ShardImage, type ShardWrite, shardOf } from "../../services/Shard.ts"
import { type Snapshots, SnapshotsError } from "../../services/Snapshots.ts"
import { within } from "./guard.ts"

/** How long an isolate goes by one reading of a snapshot while its shard is out of reach. */
const imageMillis = 60_000

/** Outside writes that ride along with one RPC; the sweep brings the rest. */
const maxCarried = 1000

/**
 * What an isolate does while a shard cannot be reached: parks its writes and knows them, and reads whatever else there
 * is from the shard's snapshot.
 *
 * @param deadline how long KV may take for either
 */
export const makeOutside = (
  outbox: Outbox["Type"],
  snapshots: Snapshots["Type"],
  shards: number,
  deadline: Duration.Duration
) => {
  const tooSlowToLoad = () => new SnapshotsError({ operation: "load", reason: "Unavailable" })
  const tooSlowToPark = () => new OutboxError({ operation: "park", reason: "Unavailable" })

  const parked = new Map<string, ShardWrite>()
  const images = new Map<number, { readonly entries: ReadonlyMap<string, Entry>; readonly until: number }>()

  const imageOf = (shard: number): Effect.Effect<ReadonlyMap<string, Entry>> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const known = images.get(shard)
      if (known !== undefined && now < known.until) return Effect.succeed(known.entries)
      return snapshots.load(`shard-${shard}`).pipe(
        within(deadline, tooSlowToLoad),
        Effect.map((image) => (image === undefined ? new Map<string, Entry>() : living(image))),
        Effect.catchAll((error) =>
          Effect.as(
            Effect.logWarning("a snapshot could not be read", error),
            known?.entries ?? new Map<string, Entry>()
          )
        ),
        Effect.tap((entries) => Effect.sync(() => images.set(shard, { entries, until: now + imageMillis })))
      )
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
      return Effect.map(imageOf(shardOf(id, shards)), (entries) => {
        const saved = entries.get(id)
        return saved !== undefined && later(saved.stamp, held?.stamp) ? saved : held
      })
    }
  }
}

const later = (stamp: Stamp, than: Stamp | undefined): boolean => than === undefined || compareStamps(stamp, than) > 0

const living = ({ rows, tags }: ShardImage): ReadonlyMap<string, Entry> => {
  const entries = new Map<string, Entry>()
  for (const { body, id, version } of rows) {
    if (body === undefined) continue
    const entry = { ...body, stamp: version }
    if (!isInvalidated(entry, tags)) entries.set(id, entry)
  }
  return entries
}
