import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { openConnections } from "../../../services/base/model/OpenConnections.ts"
import { type DurableCache, DurableCacheError } from "../../../services/durable/DurableCache.ts"
import type { ShardWrite, ShardWritten } from "../../../services/durable/Shard.ts"
import { type Outbox, OutboxError } from "../../../services/snapshots/Outbox.ts"
import type { Stamp } from "../../../services/store/model/Entry.ts"
import { type Acknowledgement, StoreError } from "../../../services/store/Store.ts"
import { within } from "../../base/guard.ts"
import { bytesOf, type CallDeadline, millisFor } from "../../durable/guardedCalls.ts"
import type { makeParkedDelivery } from "./parkedDelivery.ts"
import type { makeParkedWrites } from "./parkedWrites.ts"

/** What became of a write: in its shard, under the version it got there, or parked under its own stamp. */
export interface Sent {
  readonly version: Stamp
  readonly acknowledged: Acknowledgement
  readonly replaced: boolean
  readonly outcome: ShardWritten["outcome"]
}

type Result = ShardWritten | DurableCacheError

/**
 * The way of a write: its shard, within the deadline; once more, if the reply was lost (the stamp makes that harmless);
 * then the outbox, one value per shard; then a visible failure. A write under a condition has the first of these alone:
 * nobody else can judge it, and a resend that finds its own write would call that another's.
 *
 * @param deadline how long KV may take
 */
export const makeShardWrites = (parts: {
  readonly durable: DurableCache["Type"]
  readonly outbox: Outbox["Type"]
  readonly parked: ReturnType<typeof makeParkedWrites>
  readonly delivery: ReturnType<typeof makeParkedDelivery>
  readonly deadline: CallDeadline
}) => {
  const { deadline, delivery, durable, outbox, parked } = parts
  const tooSlow = () => new OutboxError({ operation: "park", reason: "Unavailable" })

  /** Puts what `send` makes of some of the writes back into the order of all. */
  const some = (
    writes: ReadonlyArray<ShardWrite>,
    results: Array<Result | undefined>,
    isMeant: (write: ShardWrite, index: number) => boolean,
    send: (meant: ReadonlyArray<ShardWrite>) => Effect.Effect<ReadonlyArray<Result>>
  ): Effect.Effect<void> => {
    const positions = writes.flatMap((write, index) => (isMeant(write, index) ? [index] : []))
    if (positions.length === 0) return Effect.void
    return Effect.map(send(positions.map((position) => writes[position]!)), (given) => {
      for (const [index, position] of positions.entries()) results[position] = given[index]!
    })
  }

  const apply = (writes: ReadonlyArray<ShardWrite>): Effect.Effect<ReadonlyArray<Result>> =>
    Effect.gen(function* () {
      const waiting = yield* delivery.ahead(writes.map(({ id }) => id))
      const results: Array<Result | undefined> = writes.map(({ id }) => waiting.get(id))
      const isFirst = ({ id }: ShardWrite) => !waiting.has(id)
      yield* some(writes, results, isFirst, (first) => durable.apply(first, "first"))
      // What is parked before one of these counts by its stamp, whenever it comes: so must the one that is later.
      yield* some(
        writes,
        results,
        (write, index) => results[index] === undefined && !isFirst(write) && write.condition === undefined,
        (later) => durable.apply(later)
      )
      yield* some(
        writes,
        results,
        ({ condition }, index) => condition === undefined && isLost(results[index]!),
        (lost) => durable.apply(lost)
      )
      const settled = results.map((result) => result ?? notJudged)
      yield* delivery.behind(writes.flatMap(({ id }, index) => (isError(settled[index]!) ? [] : [id])))
      return settled
    })

  /** One outbox value for each object. */
  const park = (writes: ReadonlyArray<ShardWrite>): Effect.Effect<ReadonlyMap<ShardWrite, Sent | StoreError>> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const sent = new Map<ShardWrite, Sent | StoreError>()
      yield* Effect.forEach(
        Object.values(Arr.groupBy(writes, ({ id }) => durable.objectOf(id))),
        (together) =>
          Effect.match(
            within(Duration.millis(millisFor(deadline, bytesOf(together))), tooSlow)(outbox.park(together, now)),
            {
              onSuccess: (name) => {
                parked.add(together, name)
                for (const write of together) sent.set(write, parkedAs(write))
              },
              onFailure: (error) => {
                for (const write of together) sent.set(write, notStored(error))
              }
            }
          ),
        { concurrency: openConnections, discard: true }
      )
      return sent
    })

  return {
    /** A loader's fill, which is never parked. */
    fill: (write: ShardWrite): Effect.Effect<Result> =>
      Effect.map(durable.apply([write], "first"), ([result]) => result!),

    /** One result per write, in order. Of writes to one id, the last must be the latest. */
    send: (writes: ReadonlyArray<ShardWrite>): Effect.Effect<ReadonlyArray<Sent | StoreError>> =>
      Effect.gen(function* () {
        const results = yield* apply(writes)
        const outcast = writes.filter(({ condition }, index) => condition === undefined && isOutcast(results[index]!))
        const sent = outcast.length === 0 ? undefined : yield* park(outcast)
        return writes.map((write, index) => {
          const result = results[index]!
          if (isError(result)) return sent?.get(write) ?? notYet(result)
          if (result.outcome === "unmet") return new StoreError({ operation: "set", reason: "ConditionFailed" })
          if (write.condition !== undefined && result.outcome === "overtaken") return notYet(notJudged)
          return { ...result, acknowledged: "stored" as const }
        })
      })
  }
}

const isError = (result: Result): result is DurableCacheError => result instanceof DurableCacheError

/** Worth a resend: an overloaded object is not, nor one whose breaker is open. */
const isLost = (result: Result): boolean => isError(result) && result.reason === "Unavailable"

/** To be parked. What is about to move is not, nor what has no room: its object is well, and says so. */
const isOutcast = (result: Result): boolean => isError(result) && result.reason !== "Moving" && result.reason !== "Full"

const parkedAs = (write: ShardWrite): Sent => ({
  version: write.stamp,
  acknowledged: "outside",
  replaced: false,
  outcome: "applied"
})

/** Its id has a write in the outbox that its shard could not be told of, or it came too late. */
const notJudged = new DurableCacheError({ operation: "apply", reason: "Moving" })

const notYet = (cause: DurableCacheError): StoreError =>
  cause.reason === "Full"
    ? new StoreError({ operation: "set", reason: "Full", cause })
    : new StoreError({ operation: "set", reason: "Unavailable", retryAfter: 2, cause })

/** Never too large: a value that is legal in its shard is so in an outage, too. */
const notStored = (cause: OutboxError): StoreError =>
  new StoreError({ operation: "set", reason: "Unavailable", retryAfter: 5, cause })
