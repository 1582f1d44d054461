import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { ShardWrite } from "../durable/Shard.ts"

export class OutboxError extends Data.TaggedError("OutboxError")<{
  readonly operation: "park" | "list" | "read"
  readonly reason: "Unavailable" | "RateLimited" | "DailyLimit" | "TooLarge" | "Damaged"
  readonly cause?: unknown
}> {}

/** How long parked writes wait to be adopted. */
export const parkedFor = Duration.days(7)

/** Writes that could not reach their shard, kept until it adopts them by their stamps. */
export class Outbox extends Context.Tag("larder/Outbox")<
  Outbox,
  {
    /** Keeps writes under a new name, for 7 days, and returns it. One billed write, and one more for every 24 MiB. */
    readonly park: (writes: ReadonlyArray<ShardWrite>, now: number) => Effect.Effect<string, OutboxError>
    /** Names parked and not expired, in order of parking, a page at a time. One billed list. */
    readonly list: (
      cursor?: string
    ) => Effect.Effect<{ readonly names: ReadonlyArray<string>; readonly cursor: string | undefined }, OutboxError>
    /** What lies under a name; undefined when it has expired or has not become visible yet. One billed read for each write. */
    readonly read: (name: string) => Effect.Effect<ReadonlyArray<ShardWrite> | undefined, OutboxError>
  }
>() {}
