import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { openConnections } from "../../../services/base/model/OpenConnections.ts"
import { objectName, ownerOf, type Topology } from "../../../services/durable/model/Topology.ts"
import { generationsIn, type RecordedTopologyService } from "../../../services/durable/RecordedTopology.ts"
import { type SavedImage, type Snapshots, SnapshotsError } from "../../../services/snapshots/Snapshots.ts"
import { compareStamps, type Entry, isInvalidated } from "../../../services/store/model/Entry.ts"
import { within } from "../../base/guard.ts"
import { makeRecent } from "../../base/recent.ts"

/** How long an isolate goes by one reading of a snapshot while its shard is out of reach. */
const imageMillis = 60_000

/** How long it takes a snapshot for unreadable, or for not there. */
const unreadMillis = 2000

/** Snapshots that are kept open: each is up to 8 MiB as it lies in KV. */
const maxImages = 4

interface Kept<A> {
  readonly value: A
  /** Milliseconds since the epoch. */
  readonly until: number
}

/**
 * Entries from the shards' snapshots, for when a shard cannot be asked. A snapshot tells what it holds; of what it does
 * not hold it tells nothing.
 *
 * @param deadline how long KV may take for any of it
 * @param recorded which objects' snapshots to read; those of the first generation without it
 */
export const makeSavedEntries = (
  snapshots: Snapshots["Type"],
  shards: number,
  deadline: Duration.Duration,
  recorded?: RecordedTopologyService
) => {
  const tooSlow = () => new SnapshotsError({ operation: "load", reason: "Unavailable" })
  const images = makeRecent<string, Kept<SavedImage>>(maxImages)
  let generations: Kept<ReadonlyArray<Topology>> | undefined

  const generationsNow: Effect.Effect<ReadonlyArray<Topology>> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (generations !== undefined && now < generations.until) return Effect.succeed(generations.value)
    const read = recorded === undefined ? Effect.succeed(undefined) : within(deadline, tooSlow)(recorded.read)
    return Effect.matchEffect(read, {
      onFailure: (error) => {
        const value = generations?.value ?? [{ generation: 0, shards }]
        generations = { value, until: now + unreadMillis }
        return Effect.as(Effect.logWarning("it could not be read which objects there are", error), value)
      },
      onSuccess: (record) => {
        const value = generationsIn(record, shards)
        generations = { value, until: now + imageMillis }
        return Effect.succeed(value)
      }
    })
  })

  const imageOf = (object: string): Effect.Effect<SavedImage> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const known = images.get(object)
      if (known !== undefined && now < known.until) return Effect.succeed(known.value)
      return Effect.matchEffect(within(deadline, tooSlow)(snapshots.open(object)), {
        onFailure: (error) => {
          const value = known?.value ?? noImage
          images.put(object, { value, until: now + unreadMillis })
          return Effect.as(unread(error), value)
        },
        onSuccess: (image) => {
          const until = now + (image === undefined ? unreadMillis : imageMillis)
          images.put(object, { value: image ?? noImage, until })
          return Effect.succeed(image ?? noImage)
        }
      })
    })

  const rowIn = (image: SavedImage, id: string) =>
    image.find(id).pipe(
      within(deadline, tooSlow),
      Effect.catchAll((error) => Effect.as(unread(error), undefined))
    )

  /** While keys move, two objects may have saved one: the higher version counts, and what ended it since. */
  const find = (own: ReadonlyArray<SavedImage>, id: string): Effect.Effect<Entry | undefined> =>
    Effect.map(
      Effect.forEach(own, (image) => rowIn(image, id)),
      (found) => {
        const rows = found.flatMap((row, from) => (row === undefined ? [] : [{ ...row, from }]))
        const row = rows.sort((a, b) => compareStamps(b.version, a.version))[0]
        if (row?.body === undefined) return undefined
        const entry = { ...row.body, stamp: row.version }
        return own.slice(row.from).some(({ tags }) => isInvalidated(entry, tags, id)) ? undefined : entry
      }
    )

  /**
   * One for each id, in the order asked; undefined for what no snapshot holds.
   *
   * @param maxBytes of values, after which none is looked for
   */
  return (
    ids: ReadonlyArray<string>,
    maxBytes = Number.POSITIVE_INFINITY
  ): Effect.Effect<ReadonlyArray<Entry | "left out" | undefined>> =>
    Effect.gen(function* () {
      if (ids.length === 0) return []
      const all = yield* generationsNow
      const objectsOf = (id: string) => all.map((topology) => objectName(ownerOf(topology, id)))
      const objects = [...new Set(ids.flatMap(objectsOf))]
      const opened = yield* Effect.forEach(objects, imageOf, { concurrency: openConnections })
      const byName = new Map(objects.map((object, index) => [object, opened[index]!]))
      let bytes = 0
      return yield* Effect.forEach(ids, (id): Effect.Effect<Entry | "left out" | undefined> => {
        if (bytes >= maxBytes) return Effect.succeed("left out")
        const own = objectsOf(id).map((object) => byName.get(object)!)
        return Effect.tap(find(own, id), (entry) =>
          Effect.sync(() => {
            bytes += entry?.value.byteLength ?? 0
          })
        )
      })
    })
}

const noImage: SavedImage = { tags: new Map(), find: () => Effect.succeed(undefined) }

const unread = (error: SnapshotsError) => Effect.logWarning("a snapshot could not be read", error)
