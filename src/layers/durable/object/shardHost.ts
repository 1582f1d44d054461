import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SavedGeneration } from "../../../services/durable/DurableCache.ts"
import type { Beside, Shard } from "../../../services/durable/Shard.ts"
import { type KvCounts, noCounts } from "../../../services/ledger/Ledger.ts"
import { type Entry, type Stamp, zeroStamp } from "../../../services/store/model/Entry.ts"
import * as LeaseQueue from "../internal/leaseQueue.ts"
import { makeResendFilter } from "../internal/resendFilter.ts"
import { gated } from "../internal/shardGate.ts"
import { makeWantedFills } from "../internal/wantedFills.ts"
import { makeHandoff, type ShardCall } from "./shardHandoff.ts"
import {
  type Answer,
  type Arguments,
  alongBytes,
  type Billed,
  detached,
  replyBytes,
  type ShardMethod,
  type ShardReply,
  wireBytes
} from "./shardProtocol.ts"
import * as ShardRecovery from "./shardRecovery.ts"

/** What a shard does beyond its own storage. */
export interface ShardOperations {
  /** Writes a snapshot if the shard is dirty; whether it did. */
  readonly flush: Effect.Effect<boolean, unknown>
  /** When `flush` last wrote: milliseconds since the epoch. */
  readonly snapshotAt?: () => number | undefined
  /** Merges a snapshot, by default the newest, and the outbox; how many rows were taken in. */
  readonly restore: (saved?: SavedGeneration) => Effect.Effect<number, unknown>
  /** How far an object whose disk was new is with bringing back what it held. Default: there is nothing to. */
  readonly recovery?: ShardRecovery.ShardRecovery
  /** Brings outside writes to their shards, when it is time; `everyMillis` is the longest the alarm may be away. */
  readonly adopt?: { readonly everyMillis: number; readonly run: Effect.Effect<unknown, unknown> }
  /** Milliseconds since the epoch before which the alarm is to write no snapshot, at `everyMillis` between two. */
  readonly notBefore?: (everyMillis: number) => Effect.Effect<number, unknown>
  /** The objects of its generation: those that share the day's snapshots. One unless it is known. */
  readonly shards?: () => number
  /** Told by who gives keys to it how many objects its generation has. */
  readonly joined?: (shards: number) => void
  /** One more step of giving keys away, where that was begun; whether there is more to do. For the alarm. */
  readonly goOn?: Effect.Effect<boolean, unknown>
  /** The way to the other objects, for giving keys away to them. Without it none are. */
  readonly peers?: ShardCall
  /** KV operations spent since the object was made. */
  readonly kvSpent?: () => { readonly billed: KvCounts; readonly calls: KvCounts }
}

/** A shard that is kept nowhere else. */
export const noOperations: ShardOperations = { flush: Effect.succeed(false), restore: () => Effect.succeed(0) }

export interface ShardSurroundings {
  readonly operations: ShardOperations
  /** Called in the same turn as every change that may be durable. */
  readonly changed: (now: number) => void
  /** Alarms run and set since the object was made. */
  readonly alarms: () => Pick<Billed, "requests" | "rowsWritten" | "millis">
}

/** Answers what a shard is asked. Fails never: a reply says what went wrong. */
export type ShardHost = {
  readonly [M in ShardMethod]: (...args: Arguments<M>) => Effect.Effect<ShardReply<Answer<M>>>
}

/** As its own alarm has it: what that costs is told with the next reply. */
export type OwnHost = ShardHost & Required<Pick<ShardOperations, "goOn">> & { readonly billed: () => Billed }

export const make = (shard: Shard["Type"], surroundings: Partial<ShardSurroundings> = {}): OwnHost => {
  const {
    operations = noOperations,
    changed = () => {},
    alarms = () => ({ requests: 0, rowsWritten: 0, millis: 0 })
  } = surroundings
  const { recovery = ShardRecovery.known } = operations
  const leases = LeaseQueue.make(shard)
  const resendFilter = makeResendFilter()
  const wantedFills = makeWantedFills(leases.isAwaited)
  let reported: Billed = { requests: 0, ...shard.billed() }
  let alarmMillis = 0
  /** What the calls of other objects have cost. */
  const sent = { requests: 0, rowsRead: 0, rowsWritten: 0, kv: { billed: noCounts, calls: noCounts } }

  const billed = (): Billed => {
    const { rowsRead, rowsWritten } = shard.billed()
    const alarmed = alarms()
    const total = {
      requests: alarmed.requests + sent.requests,
      rowsRead: rowsRead + sent.rowsRead,
      rowsWritten: rowsWritten + alarmed.rowsWritten + sent.rowsWritten
    }
    const millis = alarmed.millis ?? 0
    const since = {
      requests: total.requests - reported.requests,
      rowsRead: total.rowsRead - reported.rowsRead,
      rowsWritten: total.rowsWritten - reported.rowsWritten,
      ...(millis > alarmMillis ? { millis: millis - alarmMillis } : {})
    }
    reported = total
    alarmMillis = millis
    return operations.kvSpent === undefined ? since : { ...since, kv: kvSince(both(operations.kvSpent(), sent.kv)) }
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

  /** Work that needs all that the object ever held; `Recovering` while it does not know that. */
  const knowing = <A>(work: Effect.Effect<ShardReply<A>>): Effect.Effect<ShardReply<A>> =>
    Effect.suspend(() => {
      if (recovery.isKnown()) return work
      return Effect.flatMap(recovery.prompt, () =>
        recovery.isKnown() ? work : Effect.succeed<ShardReply<A>>({ _tag: "Recovering", billed: billed() })
      )
    })

  /** Above all versions that the object gave before its disk was lost: what arrives now is later than those. */
  const floor = (now: number): Stamp => (recovery.isKnown() ? zeroStamp : { wall: now + 1, counter: 0, writer: "" })

  const changing = <A>(work: (now: number) => A) =>
    reading((now) => {
      const answer = work(now)
      changed(now)
      return answer
    })

  const peers = operations.peers ?? (() => Effect.fail(new Error("this object knows no others")))
  const spending: ShardCall = (object, method, ...args) =>
    Effect.onExit(peers(object, method, ...args), (exit) =>
      Effect.sync(() => {
        sent.requests += 1
        if (exit._tag === "Failure") return
        sent.requests += exit.value.billed.requests
        sent.rowsRead += exit.value.billed.rowsRead
        sent.rowsWritten += exit.value.billed.rowsWritten
        sent.kv = both(sent.kv, exit.value.billed.kv ?? { billed: noCounts, calls: noCounts })
      })
    )
  const flush = Effect.suspend(() =>
    recovery.isKnown() ? operations.flush : Effect.fail(new Error("what this object held is not known yet"))
  )
  const take = makeHandoff(shard, spending, flush)

  const keys: Parameters<typeof gated>[0] = {
    getMany: (ids, along = [], bytes, isBeside = false) =>
      Effect.suspend(() => {
        let next: number | undefined
        let beside: ReadonlyArray<Beside> = []
        const read = reading((now) => {
          const entries: Array<Entry | undefined> = []
          for (let used = 0; entries.length < ids.length && used <= (bytes ?? replyBytes); ) {
            const id = ids[entries.length]!
            const entry = shard.getMany([id], now)[0]
            const own = wireBytes(id, entry)
            used += own
            if (bytes === undefined || used <= bytes) entries.push(entry && detached(entry))
            else next = own
          }
          if (entries.length === ids.length) {
            entries.push(...companions(shard, along, now))
            if (isBeside) beside = neighbours(shard, ids, now)
          }
          return entries
        })
        return knowing(
          Effect.map(read, (reply) => ({
            ...reply,
            ...(next === undefined ? {} : { next }),
            ...(beside.length === 0 ? {} : { beside })
          }))
        )
      }),
    apply: (writes) => {
      const applied = changing((now) => {
        const written = shard.apply(wantedFills(resendFilter(writes, now), now), now, floor(now))
        for (const { id } of writes) leases.settle(id, now)
        return written
      })
      return writes.some(({ condition }) => condition !== undefined) ? knowing(applied) : applied
    },
    invalidateTags: (tags, stamp) =>
      changing((now) => {
        const mark = shard.invalidateTags(tags, stamp, now, floor(now))
        leases.settleAll(now)
        return mark
      }),
    lease: (id, patience) =>
      knowing(
        replying(
          Effect.map(leases.lease(id, patience), (leased) =>
            leased._tag === "Found" ? { ...leased, entry: detached(leased.entry) } : leased
          )
        )
      ),
    release: (id, lease) => reading((now) => leases.release(id, lease, now)),
    list: (prefix, after, limit) => knowing(reading((now) => shard.list(prefix, after, limit, now))),
    clear: (prefix, stamp) =>
      changing((now) => {
        const mark = shard.clear(prefix, stamp, now, floor(now))
        leases.settleAll(now)
        return mark
      }),
    stats: () =>
      reading(() => {
        const snapshotAt = operations.snapshotAt?.()
        return { ...shard.stats(), ...(snapshotAt === undefined ? {} : { snapshotAt }) }
      }),
    flush: () => knowing(replying(flush)),
    restore: (saved) =>
      replying(
        Effect.zipWith(operations.restore(saved), Clock.currentTimeMillis, (rows, now) => {
          leases.settleAll(now)
          changed(now)
          return rows
        })
      )
  }

  return {
    billed,
    ...gated(keys, shard),
    receive: (image, shards) =>
      changing((now) => {
        operations.joined?.(shards)
        if (image.rows.length + image.tags.size > 0) {
          shard.merge(image, now)
          leases.settleAll(now)
        }
        return shard.diskId()
      }),
    reshard: (step) =>
      knowing(
        replying(
          Effect.zipLeft(
            take(step),
            Effect.map(Clock.currentTimeMillis, (now) => changed(now))
          )
        )
      ),
    goOn: Effect.map(take({ _tag: "GoOn" }), ({ dropped, seal }) => seal?.phase === "moving" || dropped > 0)
  }
}

/** Entries that come along with others; one too large leaves its place empty. */
const companions = (
  shard: Shard["Type"],
  along: ReadonlyArray<string>,
  now: number
): ReadonlyArray<Entry | undefined> => {
  let bytes = 0
  return along.map((id) => {
    const entry = bytes < alongBytes ? shard.getMany([id], now)[0] : undefined
    if (entry === undefined || bytes + wireBytes(id, entry) > alongBytes) return undefined
    bytes += wireBytes(id, entry)
    return detached(entry)
  })
}

/** As many of what lies beside as one reply carries. */
const neighbours = (shard: Shard["Type"], ids: ReadonlyArray<string>, now: number): ReadonlyArray<Beside> => {
  let bytes = 0
  return shard.beside(ids, now).flatMap(({ entry, id }) => {
    bytes += wireBytes(id, entry)
    return bytes > alongBytes ? [] : [{ id, entry: detached(entry) }]
  })
}

const both = (a: NonNullable<Billed["kv"]>, b: NonNullable<Billed["kv"]>): NonNullable<Billed["kv"]> => ({
  billed: plus(a.billed, b.billed),
  calls: plus(a.calls, b.calls)
})

const plus = (a: KvCounts, b: KvCounts): KvCounts => ({
  reads: a.reads + b.reads,
  writes: a.writes + b.writes,
  deletes: a.deletes + b.deletes,
  lists: a.lists + b.lists
})

const minus = (a: KvCounts, b: KvCounts): KvCounts => ({
  reads: a.reads - b.reads,
  writes: a.writes - b.writes,
  deletes: a.deletes - b.deletes,
  lists: a.lists - b.lists
})
