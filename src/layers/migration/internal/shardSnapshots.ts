import * as Effect from "effect/Effect"
import { objectName, placesOf } from "../../../services/durable/model/Topology.ts"
import { generationsIn, type RecordedTopologyService } from "../../../services/durable/RecordedTopology.ts"
import { StoreOfRecordError } from "../../../services/migration/StoresOfRecord.ts"
import { type Snapshots, SnapshotsError } from "../../../services/snapshots/Snapshots.ts"
import { compareStamps, type Stamp } from "../../../services/store/model/Entry.ts"

/**
 * The names of all snapshots that hold what the objects do, those of objects that keys move to last.
 *
 * @param shards of the first generation
 * @param recorded without it there are no others
 */
export const snapshotNames = (
  shards: number,
  recorded: RecordedTopologyService | undefined
): Effect.Effect<ReadonlyArray<string>, SnapshotsError> =>
  Effect.mapBoth(recorded === undefined ? Effect.succeed(undefined) : recorded.read, {
    onFailure: (cause) => new SnapshotsError({ operation: "load", reason: "Unavailable", cause }),
    onSuccess: (record) => generationsIn(record, shards).flatMap(placesOf).map(objectName)
  })

/** The last invalidation of each tag by all shards' newest snapshots. */
export const marksIn = (
  snapshots: Snapshots["Type"],
  shards: number,
  recorded: RecordedTopologyService | undefined
): Effect.Effect<ReadonlyMap<string, Stamp>, SnapshotsError> =>
  Effect.map(
    Effect.flatMap(snapshotNames(shards, recorded), (names) => Effect.forEach(names, snapshots.marks)),
    lastInvalidations
  )

/** Marks that shards set for one invalidation differ by their clocks and by the way there; those of two by more. */
const apartMillis = 10_000

/**
 * Of each tag the last invalidation that any shard knows of, as the lowest of the marks that were set for it. All of
 * them are later than what was written before it; an entry written after it may, in a shard whose clock is behind, lie
 * between its own shard's mark and another's, and the highest mark would end it.
 */
export const lastInvalidations = (all: ReadonlyArray<ReadonlyMap<string, Stamp>>): ReadonlyMap<string, Stamp> => {
  const marksOf = new Map<string, Array<Stamp>>()
  for (const [tag, mark] of all.flatMap((one) => [...one])) {
    const known = marksOf.get(tag)
    if (known === undefined) marksOf.set(tag, [mark])
    else known.push(mark)
  }
  return new Map(
    [...marksOf].map(([tag, marks]) => {
      const since = Math.max(...marks.map(({ wall }) => wall)) - apartMillis
      return [tag, marks.filter(({ wall }) => wall >= since).reduce((a, b) => (compareStamps(b, a) < 0 ? b : a))]
    })
  )
}

export const snapshotFailed =
  (operation: StoreOfRecordError["operation"]) =>
  (cause: SnapshotsError): StoreOfRecordError =>
    new StoreOfRecordError({ operation, reason: reasonOf(cause), cause })

const reasonOf = ({ reason }: SnapshotsError): StoreOfRecordError["reason"] =>
  reason === "Damaged" || reason === "TooLarge" ? "Unavailable" : reason
