import * as Effect from "effect/Effect"
import type { Stamp } from "../../services/Entry.ts"
import { later } from "../../services/Shard.ts"
import type { Snapshots, SnapshotsError } from "../../services/Snapshots.ts"
import { StoreOfRecordError } from "../../services/StoresOfRecord.ts"
import { objectName } from "./shardProtocol.ts"

/** The names that snapshots of so many shards go by. */
export const snapshotNames = (shards: number): ReadonlyArray<string> =>
  Array.from({ length: shards }, (_, shard) => objectName(shard))

/** The tag marks of all shards' newest snapshots: of each tag the latest, as shards may have set it apart. */
export const marksIn = (
  snapshots: Snapshots["Type"],
  shards: number
): Effect.Effect<ReadonlyMap<string, Stamp>, SnapshotsError> =>
  Effect.map(Effect.forEach(snapshotNames(shards), snapshots.marks), latestMarks)

export const latestMarks = (all: ReadonlyArray<ReadonlyMap<string, Stamp>>): ReadonlyMap<string, Stamp> => {
  const marks = new Map<string, Stamp>()
  for (const [tag, mark] of all.flatMap((one) => [...one])) {
    const known = marks.get(tag)
    marks.set(tag, known === undefined ? mark : later(known, mark))
  }
  return marks
}

export const snapshotFailed =
  (operation: StoreOfRecordError["operation"]) =>
  (cause: SnapshotsError): StoreOfRecordError =>
    new StoreOfRecordError({ operation, reason: cause.reason === "Damaged" ? "Unavailable" : cause.reason, cause })
