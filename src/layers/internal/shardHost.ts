import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Entry } from "../../services/Entry.ts"
import { type KvCounts, noCounts } from "../../services/Ledger.ts"
import type { Shard } from "../../services/Shard.ts"
import { makeFirstTries } from "./firstTries.ts"
import * as LeaseQueue from "./leaseQueue.ts"
import {
  type Answer,
  type Arguments,
  type Billed,
  detached,
  replyBytes,
  type ShardMethod,
  type ShardReply,
  wireBytes
} from "./shardProtocol.ts"

/** What a shard does beyond its own storage. */
export interface ShardOperations {
  /** Writes a snapshot if the shard is dirty; whether it did. */
  readonly flush: Effect.Effect<boolean, unknown>
  /** Merges the newest snapshot and the outbox; how many rows were taken in. */
  readonly restore: Effect.Effect<number, unknown>
  /** Brings back what an object with an empty SQLite has lost, once in its life; tried at its start and by its alarm. */
  readonly awaken?: Effect.Effect<unknown, unknown>
  /** Brings outside writes to their shards, when it is time; `everyMillis` is the longest the alarm may be away. */
  readonly adopt?: { readonly everyMillis: number; readonly run: Effect.Effect<unknown, unknown> }
  /** KV operations spent since the object was made. */
  readonly kvSpent?: () => { readonly billed: KvCounts; readonly calls: KvCounts }
}

/** A shard that is kept nowhere else. */
export const noOperations: ShardOperations = { flush: Effect.succeed(false), restore: Effect.succeed(0) }

export interface ShardSurroundings {
  readonly operations: ShardOperations
  /** Called in the same turn as every change that may be durable. */
  readonly changed: (now: number) => void
  /** Alarms run and set since the object was made. */
  readonly alarms: () => Pick<Billed, "requests" | "rowsWritten">
}

/** Answers what a shard is asked. Fails never: a reply says what went wrong. */
export type ShardHost = {
  readonly [M in ShardMethod]: (...args: Arguments<M>) => Effect.Effect<ShardReply<Answer<M>>>
}

export const make = (shard: Shard["Type"], surroundings: Partial<ShardSurroundings> = {}): ShardHost => {
  const {
    operations = noOperations,
    changed = () => {},
    alarms = () => ({ requests: 0, rowsWritten: 0 })
  } = surroundings
  const leases = LeaseQueue.make(shard)
  const firstTries = makeFirstTries()
  let reported: Billed = { requests: 0, ...shard.billed() }

  const billed = (): Billed => {
    const { rowsRead, rowsWritten } = shard.billed()
    const alarmed = alarms()
    const total = { requests: alarmed.requests, rowsRead, rowsWritten: rowsWritten + alarmed.rowsWritten }
    const since = {
      requests: total.requests - reported.requests,
      rowsRead: total.rowsRead - reported.rowsRead,
      rowsWritten: total.rowsWritten - reported.rowsWritten
    }
    reported = total
    return operations.kvSpent === undefined ? since : { ...since, kv: kvSince(operations.kvSpent()) }
  }

  let kvReported = { billed: noCounts, calls: noCounts }
  const kvSince = (spent: typeof kvReported): typeof kvReported => {
    const fresh = { billed: minus(spent.billed, kvReported.billed), calls: minus(spent.calls, kvReported.calls) }
    kvReported = spent
    return fresh
  }

  const replying = <A>(work: Effect.Effect<A, unknown>): Effect.Effect<ShardReply<A>> =>
    Effect.matchCause(work, {
      onSuccess: (answer) => ({ _tag: "Answered", billed: billed(), answer }),
      onFailure: (cause) => ({ _tag: "Failed", billed: billed(), failure: Cause.pretty(cause) })
    })

  const reading = <A>(work: (now: number) => A) => replying(Effect.map(Clock.currentTimeMillis, work))

  const changing = <A>(work: (now: number) => A) =>
    reading((now) => {
      const answer = work(now)
      changed(now)
      return answer
    })

  return {
    getMany: (ids) =>
      reading((now) => {
        const entries: Array<Entry | undefined> = []
        for (let bytes = 0; entries.length < ids.length && bytes <= replyBytes; ) {
          const id = ids[entries.length]!
          const entry = shard.getMany([id], now)[0]
          bytes += wireBytes(id, entry)
          entries.push(entry && detached(entry))
        }
        return entries
      }),
    apply: (writes) =>
      changing((now) => {
        const written = shard.apply(firstTries(writes, now), now)
        for (const { id } of writes) leases.settle(id, now)
        return written
      }),
    invalidateTags: (tags, stamp) =>
      changing((now) => {
        const mark = shard.invalidateTags(tags, stamp, now)
        leases.settleAll(now)
        return mark
      }),
    lease: (id, patience) =>
      replying(
        Effect.map(leases.lease(id, patience), (leased) =>
          leased._tag === "Found" ? { ...leased, entry: detached(leased.entry) } : leased
        )
      ),
    release: (id, lease) => reading((now) => leases.release(id, lease, now)),
    list: (prefix, after, limit) => reading((now) => shard.list(prefix, after, limit, now)),
    clear: (prefix, stamp, limit) =>
      changing((now) => {
        const deleted = limit > 0 ? shard.clear(prefix, stamp, limit, now) : 0
        leases.settleAll(now)
        return { deleted, complete: deleted < limit || shard.list(prefix, undefined, 1, now).length === 0 }
      }),
    stats: () => reading(() => shard.stats()),
    flush: () => replying(operations.flush),
    restore: () =>
      replying(
        Effect.zipWith(operations.restore, Clock.currentTimeMillis, (rows, now) => {
          leases.settleAll(now)
          changed(now)
          return rows
        })
      )
  }
}

const minus = (a: KvCounts, b: KvCounts): KvCounts => ({
  reads: a.reads - b.reads,
  writes: a.writes - b.writes,
  deletes: a.deletes - b.deletes,
  lists: a.lists - b.lists
})
