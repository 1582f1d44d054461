import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { openConnections } from "../../../services/base/model/OpenConnections.ts"
import { type DurableCache, DurableCacheError } from "../../../services/durable/DurableCache.ts"
import type { ShardWrite, ShardWritten } from "../../../services/durable/Shard.ts"
import type { Settings } from "../../../services/settings/Settings.ts"
import type { OutboxError } from "../../../services/snapshots/Outbox.ts"
import type { Stamp } from "../../../services/store/model/Entry.ts"
import { type Acknowledgement, StoreError } from "../../../services/store/Store.ts"
import type { makeGuard } from "../../base/internal/guard.ts"
import { byShard } from "../../durable/internal/byShard.ts"
import type { makeOutageStore } from "./outageStore.ts"

/** What became of a write: in its shard, under the version it got there, or kept outside under its own stamp. */
export interface Sent {
  readonly version: Stamp
  readonly acknowledged: Acknowledgement
  readonly replaced: boolean
  readonly outcome: ShardWritten["outcome"]
}

/**
 * The way of a write: its shard, within the deadline; once more, if the reply was lost (the stamp makes that harmless);
 * then the outbox, one value per shard; then a visible failure.
 */
export const makeShardWrites = (
  durable: DurableCache["Type"],
  outside: ReturnType<typeof makeOutageStore>,
  guard: ReturnType<typeof makeGuard<DurableCacheError>>,
  settings: Settings["Type"]
) => {
  const deadlineMillis = Duration.toMillis(settings.durableDeadline)

  /** Applies writes, together with what this isolate had to keep outside of the same shards. */
  const apply = (writes: ReadonlyArray<ShardWrite>): Effect.Effect<ReadonlyArray<ShardWritten | DurableCacheError>> =>
    Effect.suspend(() => {
      let told: ReadonlyArray<ShardWritten | DurableCacheError> | undefined
      const carried = outside.carried(writes.map(({ id }) => id))
      return durable.apply([...carried, ...writes]).pipe(
        Effect.flatMap((results) => {
          carried.forEach((write, index) => {
            if (!isError(results[index]!)) outside.delivered(write)
          })
          const own = results.slice(carried.length)
          told = own
          const failed = own
            .filter(isError)
            .sort((a, b) => Number(a.reason === "Moving") - Number(b.reason === "Moving"))[0]
          return failed !== undefined && own.every(isError) ? Effect.fail(failed) : Effect.succeed(own)
        }),
        guard.call,
        Effect.catchAll((error) => Effect.succeed(told ?? writes.map(() => reached(error))))
      )
    })

  const park = (writes: ReadonlyArray<ShardWrite>): Effect.Effect<ReadonlyMap<ShardWrite, Sent | StoreError>> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const shards = byShard(writes, ({ id }) => id, settings.shards)
      const sent = new Map<ShardWrite, Sent | StoreError>()
      yield* Effect.forEach(
        [...shards.values()].map((positions) => positions.map((position) => writes[position]!)),
        (together) =>
          Effect.match(outside.park(together, now), {
            onSuccess: () => {
              for (const write of together) sent.set(write, parked(write))
            },
            onFailure: (error) => {
              for (const write of together) sent.set(write, notStored(error))
            }
          }),
        { concurrency: openConnections, discard: true }
      )
      return sent
    })

  return {
    apply,

    /** One result per write, in order. Of writes to one id, the last must be the latest. */
    send: (writes: ReadonlyArray<ShardWrite>): Effect.Effect<ReadonlyArray<Sent | StoreError>> =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const first = yield* apply(writes.map((write) => ({ ...write, firstUntil: now + deadlineMillis })))
        const again = writes.filter((_, index) => isLost(first[index]!))
        const second = again.length === 0 ? [] : yield* apply(again)
        const results = new Map(writes.map((write, index) => [write, first[index]!]))
        for (const [index, write] of again.entries()) results.set(write, second[index]!)
        const outcast = writes.filter((write) => isOutcast(results.get(write)!))
        const sent = outcast.length === 0 ? undefined : yield* park(outcast)
        return writes.map((write) => {
          const result = results.get(write)!
          if (isError(result)) return sent?.get(write) ?? notYet(result)
          return { ...result, acknowledged: "stored" as const }
        })
      })
  }
}

const isError = (result: ShardWritten | DurableCacheError): result is DurableCacheError =>
  result instanceof DurableCacheError

/** Worth a resend: an overloaded object is not, nor one whose breaker is open. */
const isLost = (result: ShardWritten | DurableCacheError): boolean => isError(result) && result.reason === "Unavailable"

/** To be kept outside. What is about to move is not: its object is well, and the key will be taken in a moment. */
const isOutcast = (result: ShardWritten | DurableCacheError): boolean => isError(result) && result.reason !== "Moving"

const reached = (error: { readonly _tag: string }): DurableCacheError =>
  error instanceof DurableCacheError
    ? error
    : new DurableCacheError({
        operation: "apply",
        reason: "reason" in error && error.reason === "BreakerOpen" ? "Overloaded" : "Unavailable",
        cause: error
      })

const parked = (write: ShardWrite): Sent => ({
  version: write.stamp,
  acknowledged: "outside",
  replaced: false,
  outcome: "applied"
})

const notYet = (cause: DurableCacheError): StoreError =>
  new StoreError({ operation: "set", reason: "Unavailable", retryAfter: 2, cause })

const notStored = (cause: OutboxError): StoreError =>
  new StoreError({
    operation: "set",
    reason: cause.reason === "TooLarge" ? "TooLarge" : "Unavailable",
    retryAfter: 5,
    cause
  })
