import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { SavedGeneration } from "../durable/DurableCache.ts"
import type { ImageSource, ShardImage, ShardRow } from "../durable/Shard.ts"

/**
 * `Unavailable`: the store of snapshots failed. `Damaged`: what it holds does not decode, or fails its checksum.
 * `TooLarge`: more changed while a base was written than one value takes; the next save may succeed.
 */
export class SnapshotsError extends Data.TaggedError("SnapshotsError")<{
  readonly operation: "save" | "load"
  readonly reason: "Unavailable" | "RateLimited" | "DailyLimit" | "Damaged" | "TooLarge"
  readonly cause?: unknown
}> {}

/** A snapshot from which single rows are read. */
export interface SavedImage {
  readonly tags: ShardImage["tags"]
  readonly find: (id: string) => Effect.Effect<ShardRow | undefined, SnapshotsError>
}

/**
 * The two newest snapshots of each shard, outside its object. A save is all or nothing: whatever step it dies at, `load`
 * gives the one before or this one. What exists and cannot be read is no absence: it fails.
 */
export class Snapshots extends Context.Tag("larder/Snapshots")<
  Snapshots,
  {
    /**
     * Saves what changed, and commits it to the source. One KV write; where the base of what changed has to be written
     * anew, one more for each of its segments. Bytes, rows and time follow the change. Holds of the rows only what it
     * is packing. Never concurrent with another of the same shard.
     */
    readonly save: (shard: string, source: ImageSource, now: number) => Effect.Effect<void, SnapshotsError>
    /**
     * Gives a snapshot to `take` in parts of a few MiB, later versions before earlier ones; false where there is none.
     * Fails part-way where not all of it can be had. Default: the newest.
     */
    readonly load: <E, R>(
      shard: string,
      take: (part: ShardImage) => Effect.Effect<void, E, R>,
      which?: SavedGeneration
    ) => Effect.Effect<boolean, SnapshotsError | E, R>
    /** The newest one, or undefined before the first; it stays that one while newer ones are saved. */
    readonly open: (shard: string) => Effect.Effect<SavedImage | undefined, SnapshotsError>
    /** The marks of the newest one, without its rows; none before the first. */
    readonly marks: (shard: string) => Effect.Effect<ShardImage["tags"], SnapshotsError>
  }
>() {}
