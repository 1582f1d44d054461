import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { ShardImage } from "./Shard.ts"

/** `Unavailable`: the store of snapshots failed. `Damaged`: what it holds does not decode, or fails its checksum. */
export class SnapshotsError extends Data.TaggedError("SnapshotsError")<{
  readonly operation: "save" | "load"
  readonly reason: "Unavailable" | "RateLimited" | "DailyLimit" | "Damaged"
  readonly cause?: unknown
}> {}

/**
 * The newest good snapshot of each shard, outside its object. A save is all or nothing: whatever step it dies at, `load`
 * gives the one before or this one.
 */
export class Snapshots extends Context.Tag("larder/Snapshots")<
  Snapshots,
  {
    /**
     * One KV write while the image packs within the limit, else one per segment and one for the manifest that alone
     * locates every key.
     */
    readonly save: (shard: string, image: ShardImage, now: number) => Effect.Effect<void, SnapshotsError>
    /** The newest one, or undefined before the first. */
    readonly load: (shard: string) => Effect.Effect<ShardImage | undefined, SnapshotsError>
    /** The tag marks of the newest one, without its rows; none before the first. */
    readonly marks: (shard: string) => Effect.Effect<ShardImage["tags"], SnapshotsError>
  }
>() {}
