import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { ImageSource, ShardImage, ShardRow } from "../durable/Shard.ts"

/**
 * `Unavailable`: the store of snapshots failed. `Damaged`: what it holds does not decode, or fails its checksum.
 * `TooLarge`: a shard has more rows than one manifest can name, several hundred thousand; it needs siblings.
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
 * The newest good snapshot of each shard, outside its object. A save is all or nothing: whatever step it dies at, `load`
 * gives the one before or this one.
 */
export class Snapshots extends Context.Tag("larder/Snapshots")<
  Snapshots,
  {
    /**
     * One KV write while the image packs within the limit, else one per segment and one for the manifest that alone
     * locates every key. Holds of the rows only what it is packing.
     */
    readonly save: (shard: string, image: ImageSource, now: number) => Effect.Effect<void, SnapshotsError>
    /**
     * Gives the newest one to `take` in parts of a few MiB, its tag marks with the first; false before the first
     * snapshot. Fails part-way where not all of it can be had.
     */
    readonly load: <E, R>(
      shard: string,
      take: (part: ShardImage) => Effect.Effect<void, E, R>
    ) => Effect.Effect<boolean, SnapshotsError | E, R>
    /** The newest one, or undefined before the first; it stays that one while newer ones are saved. */
    readonly open: (shard: string) => Effect.Effect<SavedImage | undefined, SnapshotsError>
    /** The tag marks of the newest one, without its rows; none before the first. */
    readonly marks: (shard: string) => Effect.Effect<ShardImage["tags"], SnapshotsError>
  }
>() {}
