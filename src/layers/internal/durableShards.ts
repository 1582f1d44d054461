import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type DurableCache, DurableCacheError } from "../../services/DurableCache.ts"
import type { Entry, Stamp } from "../../services/Entry.ts"
import { compareUtf8 } from "../../services/KvPaging.ts"
import { later, type ShardWrite, type ShardWritten, shardOf } from "../../services/Shard.ts"
import { byShard } from "./byShard.ts"
import {
  type Answer,
  type Arguments,
  batchBytes,
  operationOf,
  type ShardListed,
  type ShardMethod,
  type ShardReply,
  wireBytes
} from "./shardProtocol.ts"

/** One RPC to the object of one shard. Fails with what the platform threw. */
export type ShardCall = <M extends ShardMethod>(
  shard: number,
  method: M,
  ...args: Arguments<M>
) => Effect.Effect<ShardReply<Answer<M>>, unknown>

/** All shards as one, whatever carries the calls to them. */
export const make = (call: ShardCall, count: number): DurableCache["Type"] => {
  const ask = <M extends ShardMethod>(
    shard: number,
    method: M,
    ...args: Arguments<M>
  ): Effect.Effect<Answer<M>, DurableCacheError> =>
    Effect.matchEffect(call(shard, method, ...args), {
      onFailure: (cause) => Effect.fail(failure(method, cause)),
      onSuccess: (reply) =>
        reply._tag === "Answered" ? Effect.succeed(reply.answer) : Effect.fail(failure(method, reply.failure))
    })

  const every = <A>(each: (shard: number) => Effect.Effect<A, DurableCacheError>) =>
    Effect.forEach(shards, each, { concurrency: "unbounded" })

  const shards = Array.from({ length: count }, (_, shard) => shard)

  /** Every item goes to the shard of its id; what the shards answer is put back into the order of the items. */
  const spread = <A, B, E>(
    items: ReadonlyArray<A>,
    idOf: (item: A) => string,
    each: (shard: number, items: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E>
  ): Effect.Effect<ReadonlyArray<B>, E> =>
    Effect.suspend(() => {
      if (items.length === 0) return Effect.succeed([])
      if (count === 1) return each(0, items)
      const routes = byShard(items, idOf, count)
      const answers: Array<B> = new Array(items.length)
      const travel = ([shard, positions]: readonly [number, ReadonlyArray<number>]) =>
        Effect.map(
          each(
            shard,
            positions.map((position) => items[position]!)
          ),
          (given) => {
            for (const [index, position] of positions.entries()) answers[position] = given[index]!
          }
        )
      return Effect.as(Effect.forEach(routes, travel, { concurrency: "unbounded", discard: true }), answers)
    })

  const getAll = (
    shard: number,
    ids: ReadonlyArray<string>
  ): Effect.Effect<ReadonlyArray<Entry | undefined>, DurableCacheError> =>
    Effect.flatMap(ask(shard, "getMany", ids), (entries) =>
      entries.length >= ids.length
        ? Effect.succeed(entries)
        : entries.length === 0
          ? Effect.fail(failure("getMany", "the shard answered for no id"))
          : Effect.map(getAll(shard, ids.slice(entries.length)), (rest) => [...entries, ...rest])
    )

  /** One batch after the other, so that writes to one id keep their order; none after one that failed. */
  const applyAll = (
    shard: number,
    writes: ReadonlyArray<ShardWrite>
  ): Effect.Effect<ReadonlyArray<ShardWritten | DurableCacheError>> => {
    const size = batchSize(writes)
    const batch = size < writes.length ? writes.slice(0, size) : writes
    return Effect.matchEffect(ask(shard, "apply", batch), {
      onFailure: (error) => Effect.succeed(writes.map(() => error)),
      onSuccess: (written) =>
        batch === writes
          ? Effect.succeed<ReadonlyArray<ShardWritten | DurableCacheError>>(written)
          : Effect.map(applyAll(shard, writes.slice(size)), (rest) => [...written, ...rest])
    })
  }

  /** One shard after the other, until one has more than the limit lets it delete. */
  const clearFrom = (
    shard: number,
    prefix: string,
    stamp: Stamp,
    limit: number
  ): Effect.Effect<Answer<"clear">, DurableCacheError> =>
    Effect.flatMap(ask(shard, "clear", prefix, stamp, limit), (cleared) =>
      !cleared.complete || shard + 1 === count
        ? Effect.succeed(cleared)
        : Effect.map(clearFrom(shard + 1, prefix, stamp, limit - cleared.deleted), ({ complete, deleted }) => ({
            deleted: cleared.deleted + deleted,
            complete
          }))
    )

  return {
    getMany: (ids) => spread(ids, (id) => id, getAll),
    lease: (id, patience) => ask(shardOf(id, count), "lease", id, Duration.toMillis(patience)),
    release: (id, lease) => ask(shardOf(id, count), "release", id, lease),
    apply: (writes) => spread(writes, ({ id }) => id, applyAll),
    invalidateTags: (tags, stamp) =>
      Effect.map(
        every((shard) => ask(shard, "invalidateTags", tags, stamp)),
        (marks) => marks.reduce(later, stamp)
      ),
    list: (prefix, after, limit) =>
      Effect.map(
        every((shard) => ask(shard, "list", prefix, after, limit)),
        (pages) => merged(pages, limit)
      ),
    clear: (prefix, stamp, limit) => clearFrom(0, prefix, stamp, limit),
    stats: every((shard) => ask(shard, "stats")),
    flush: Effect.map(
      every((shard) => ask(shard, "flush")),
      (wrote) => wrote.filter(Boolean).length
    ),
    restore: Effect.map(
      every((shard) => ask(shard, "restore")),
      (rows) => rows.reduce((sum, taken) => sum + taken, 0)
    ),
    enabled: true
  }
}

// internal

const failure = (method: ShardMethod, cause: unknown): DurableCacheError =>
  new DurableCacheError({
    operation: operationOf[method],
    reason:
      (cause as { readonly overloaded?: unknown } | undefined)?.overloaded === true ? "Overloaded" : "Unavailable",
    cause
  })

/** How many of the writes one RPC takes; one at least. */
const batchSize = (writes: ReadonlyArray<ShardWrite>): number => {
  let bytes = 0
  for (let size = 0; size < writes.length; size++) {
    const { id, body } = writes[size]!
    bytes += wireBytes(id, body)
    if (bytes > batchBytes && size > 0) return size
  }
  return writes.length
}

const merged = (pages: ReadonlyArray<ReadonlyArray<ShardListed>>, limit: number): ReadonlyArray<ShardListed> =>
  pages.length === 1
    ? pages[0]!
    : pages
        .flat()
        .sort((a, b) => compareUtf8(a.id, b.id))
        .slice(0, limit)
