import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Background } from "../../services/base/Background.ts"
import {
  Batcher,
  type BatcherService,
  type Flush,
  outcomesOf,
  type ReadMany,
  type ReadOutcome,
  type ReadPriority,
  type StampedWrite,
  type WriteMany,
  type WriteOutcome
} from "../../services/batching/Batcher.ts"
import { Budget, type BudgetService } from "../../services/budget/Budget.ts"
import { resetsAt } from "../../services/budget/model/BudgetRules.ts"
import { KvError } from "../../services/kv/Kv.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { compareStamps } from "../../services/store/model/Entry.ts"
import type { Address } from "../../services/tiers/ReadPath.ts"
import { bufferFlushMillis, WriteBuffer } from "./internal/WriteBuffer.ts"
import { makeInvocationBatch } from "./invocationBatch.ts"

/** What an isolate buffers of all collections at most: beyond it a write goes to the store of record at once. */
const mostBuffered = 10_000
const mostBytes = 16 * 1024 * 1024

const noneBuffered = { buffered: 0, bytes: 0, oldestAt: undefined }

interface Asked {
  readonly address: Address
  readonly priority: ReadPriority
}

export const make = (budget: BudgetService): BatcherService => {
  const buffers = new Map<string, WriteBuffer>()
  const readTick = makeInvocationBatch<Asked, ReadOutcome, never>()
  const writeTick = makeInvocationBatch<StampedWrite, KvError | undefined, never>()
  const reads = { asked: 0, deduplicated: 0, batches: 0, largest: 0 }
  const writtenAt = new Map<string, number>()
  const counts = { asked: 0, stored: 0, coalesced: 0, batches: 0, largest: 0, failed: 0 }
  let nextDueAt = Number.POSITIVE_INFINITY

  /** When a buffer is to be flushed: what is left of the day's allowance is not for what can wait. */
  const dueAt = (buffer: WriteBuffer, now: number): number => {
    const due = buffer.dueAt(budget.stretch(now))
    return budget.mode("writes", now) === "spent" ? Math.max(due, resetsAt(now)) : due
  }

  const reschedule = (now: number): void => {
    nextDueAt = Number.POSITIVE_INFINITY
    for (const buffer of buffers.values()) nextDueAt = Math.min(nextDueAt, dueAt(buffer, now))
  }

  const bufferOf = (collection: Collection, via: WriteMany): WriteBuffer => {
    const known = buffers.get(collection.name)
    if (known !== undefined) {
      known.via = via
      return known
    }
    const made = new WriteBuffer(collection, via)
    buffers.set(collection.name, made)
    return made
  }

  /** Every key once, those that somebody waits for first. */
  const readTogether =
    (via: ReadMany) =>
    (asked: ReadonlyArray<Asked>): Effect.Effect<ReadonlyArray<ReadOutcome>> => {
      const distinct = new Map<string, Address>()
      for (const wanted of ["demand", "prefetch"]) {
        for (const { address, priority } of asked) {
          if (priority === wanted && !distinct.has(address.id)) distinct.set(address.id, address)
        }
      }
      reads.asked += asked.length
      reads.deduplicated += asked.length - distinct.size
      reads.batches += 1
      reads.largest = Math.max(reads.largest, distinct.size)
      return Effect.map(via([...distinct.values()]), (outcomes) => {
        const byId = new Map([...distinct.keys()].map((id, index) => [id, outcomes[index]!]))
        return asked.map(({ address }) => byId.get(address.id)!)
      })
    }

  /** Of several writes to one key the last: its outcome is that of those it overtook. */
  const writeTogether =
    (via: WriteMany) =>
    (writes: ReadonlyArray<StampedWrite>): Effect.Effect<ReadonlyArray<KvError | undefined>> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const last = new Map<string, StampedWrite>()
        for (const write of writes) {
          const other = last.get(write.address.id)
          if (other === undefined || compareStamps(other.stamp, write.stamp) < 0) last.set(write.address.id, write)
        }
        counts.coalesced += writes.length - last.size
        return Effect.map(putAll([...last.values()], via, now), (errors) => {
          const byId = new Map([...last.keys()].map((id, index) => [id, errors[index]]))
          return writes.map(({ address }) => byId.get(address.id))
        })
      })

  const putAll = (writes: ReadonlyArray<StampedWrite>, via: WriteMany, now: number) => {
    counts.batches += 1
    counts.largest = Math.max(counts.largest, writes.length)
    return Effect.zipWith(via(writes, now), Clock.currentTimeMillis, (errors, at) => {
      for (const [index, { address }] of writes.entries()) {
        if (errors[index] === undefined) writtenAt.set(address.collection.name, at)
      }
      const failed = errors.filter((error) => error !== undefined).length
      counts.failed += failed
      counts.stored += errors.length - failed
      return errors
    })
  }

  /** To the store of record without waiting; what was buffered of these keys is overtaken. */
  const through = (writes: ReadonlyArray<StampedWrite>, via: WriteMany): Effect.Effect<ReadonlyArray<WriteOutcome>> =>
    Effect.map(writeTick(via, writes, writeTogether(via)), (errors) => {
      for (const [index, { address, stamp }] of writes.entries()) {
        const buffer = buffers.get(address.collection.name)
        const pending = buffer?.pending(address.id)
        if (errors[index] === undefined && pending !== undefined && compareStamps(pending.stamp, stamp) <= 0) {
          buffer!.drop(address.id)
        }
      }
      return outcomesOf(errors)
    })

  const flushOne = (buffer: WriteBuffer): Effect.Effect<number> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const taken = buffer.takeOff(now)
      reschedule(now)
      if (taken.length === 0) return Effect.succeed(0)
      const land = (errors: ReadonlyArray<KvError | undefined>) =>
        Effect.map(Clock.currentTimeMillis, (at) => {
          const refused = taken.flatMap((write, index) => {
            const error = errors[index]
            return error === undefined || isHopeless(error)
              ? []
              : [{ write, rateLimited: error.reason === "RateLimited" }]
          })
          buffer.land(taken, refused, at)
          reschedule(at)
          return taken.length - refused.length
        })
      const abandoned = taken.map(() => new KvError({ operation: "put", reason: "Unavailable" }))
      return putAll(taken, buffer.via, now).pipe(
        Effect.timeoutTo({
          duration: bufferFlushMillis / 2,
          onSuccess: (errors) => errors,
          onTimeout: () => abandoned
        }),
        Effect.onInterrupt(() => land(abandoned)),
        Effect.tap((errors) => {
          const error = errors.find((one) => one !== undefined)
          return error === undefined ? Effect.void : Effect.logWarning("buffered writes were refused", error)
        }),
        Effect.flatMap(land)
      )
    })

  const flush = (which: Flush) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const chosen = [...buffers.values()].filter((buffer) =>
        which === "all" ? true : which === "due" ? dueAt(buffer, now) <= now : buffer.collection.name === which.name
      )
      reschedule(now)
      return Effect.map(Effect.forEach(chosen, flushOne), (flushed) => ({
        flushed: flushed.reduce((sum, count) => sum + count, 0),
        kept: chosen.reduce((sum, buffer) => sum + buffer.size, 0)
      }))
    })

  const behind = (writes: ReadonlyArray<StampedWrite>, via: WriteMany, urgent: boolean) =>
    Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<ReadonlyArray<WriteOutcome>> => {
      let [count, bytes] = [writes.length, 0]
      for (const buffer of buffers.values()) {
        count += buffer.size
        bytes += buffer.bytes
      }
      if (count > mostBuffered || bytes > mostBytes) return through(writes, via)
      let full = urgent
      for (const write of writes) {
        const buffer = bufferOf(write.address.collection, via)
        if (buffer.add(write, now)) counts.coalesced += 1
        full ||= buffer.isFull()
      }
      reschedule(now)
      const outcomes = writes.map((): WriteOutcome => ({ acknowledged: "buffered" }))
      if (!full) return Effect.succeed(outcomes)
      const collections = new Set(writes.map(({ address }) => address.collection))
      return Effect.flatMap(Background, (background) =>
        Effect.as(
          background.run(Effect.forEach(collections, (one) => flush(urgent ? one : "due"), { discard: true })),
          outcomes
        )
      )
    })

  return {
    read: (addresses, via, priority = "demand") =>
      readTick(
        via,
        addresses.map((address) => ({ address, priority })),
        readTogether(via)
      ),

    write: (writes, via, { urgent = false } = {}) => {
      counts.asked += writes.length
      const late = writes.filter(({ address }) => address.collection.policy.write === "behind")
      if (late.length === 0) return through(writes, via)
      if (late.length === writes.length) return behind(writes, via, urgent)
      return Effect.forEach(writes, (write) =>
        Effect.map(late.includes(write) ? behind([write], via, urgent) : through([write], via), ([outcome]) => outcome!)
      )
    },

    pending: ({ collection, id }) => buffers.get(collection.name)?.pending(id),
    discard: ({ name }) => buffers.get(name)?.clear() ?? 0,
    isDue: (now) => now >= nextDueAt,
    flush,
    stats: () => ({
      reads: { ...reads },
      writes: { ...counts },
      byCollection: new Map(
        [...new Set([...buffers.keys(), ...writtenAt.keys()])].map((name) => [
          name,
          { ...(buffers.get(name)?.stats() ?? noneBuffered), writtenAt: writtenAt.get(name) }
        ])
      )
    })
  }
}

/** What KV will never take. It was acknowledged as buffered only; holding it for ever would help nobody. */
const isHopeless = ({ reason }: KvError): boolean =>
  reason === "TooLarge" || reason === "BadKey" || reason === "BadOption"

export const layer: Layer.Layer<Batcher> = Layer.effect(Batcher, Effect.map(Budget, make))
