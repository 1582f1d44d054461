import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type DurableCache, DurableCacheError, type ShardsTold } from "../../services/durable/DurableCache.ts"
import type { Listed } from "../../services/durable/model/ShardListing.ts"
import { type ObjectPlace, objectName, type Topology } from "../../services/durable/model/Topology.ts"
import { type Beside, later, type ShardWrite, type ShardWritten } from "../../services/durable/Shard.ts"
import { compareUtf8 } from "../../services/kv/model/KvPaging.ts"
import type { Entry } from "../../services/store/model/Entry.ts"
import { bytesOf, type CallDeadline, deadlineOf, millisFor } from "./guardedCalls.ts"
import { makeRoutes } from "./internal/shardRoutes.ts"
import type { ShardCall } from "./object/shardHandoff.ts"
import { type Answer, batchBytes, wireBytes } from "./object/shardProtocol.ts"

/**
 * All shards as one, whatever carries the calls to them. Where keys are it learns from those that have given them away.
 *
 * @param first the objects that the setting `shards` counts
 * @param deadline within which a write's first try is ordered by its arrival: no longer than it is waited for
 */
export const make = (
  call: ShardCall,
  first: Topology,
  deadline: CallDeadline = deadlineOf(Duration.seconds(2))
): DurableCache["Type"] => {
  const { ask, everywhere, failure, place, spread, unchanged } = makeRoutes(call, first)

  /** What is asked for before it is known how much there is: so much travels well within the base deadline. */
  const firstReplyBytes = deadline.bytesPerSecond / 2

  /** What is asked for of one that has just answered; one entry may be more. */
  const laterReplyBytes = 4 * deadline.bytesPerSecond

  const getMany = (
    ids: ReadonlyArray<string>,
    along: ReadonlyArray<string> = [],
    budget: Budget = { bytes: Number.POSITIVE_INFINITY },
    beside?: Besides
  ): Effect.Effect<Found> => {
    if (along.length === 0)
      return spread(
        ids,
        (id) => id,
        (at, group) => getAll(at, group, [], budget, beside)
      )
    const asked = new Set(ids)
    return spread(
      [...ids, ...along],
      (id) => id,
      (at, group) => {
        const wanted = group.filter((id) => asked.has(id))
        return wanted.length === 0
          ? Effect.succeed([])
          : getAll(
              at,
              wanted,
              group.filter((id) => !asked.has(id)),
              budget,
              beside
            )
      }
    )
  }

  /** @param bytes that the next reply may have: how much there is, it says itself */
  const getAll = (
    at: ObjectPlace,
    ids: ReadonlyArray<string>,
    along: ReadonlyArray<string>,
    budget: Budget,
    beside?: Besides,
    bytes = firstReplyBytes
  ): Effect.Effect<Found> =>
    Effect.matchEffect(ask(at, "getMany", ids, along, bytes, beside !== undefined), {
      onFailure: (error) => Effect.succeed(ids.map(() => error)),
      onSuccess: (reply): Effect.Effect<Found> => {
        if (reply._tag === "Moved") {
          return unchanged(at, ids)
            ? Effect.succeed(ids.map(() => failure("getMany", lost)))
            : getMany(ids, [], budget, beside)
        }
        const { answer, next = 0 } = reply
        if (reply.beside !== undefined) beside?.(reply.beside)
        for (const [index, entry] of answer.slice(0, ids.length).entries())
          budget.bytes -= wireBytes(ids[index]!, entry)
        if (answer.length >= ids.length) return Effect.succeed(answer)
        if (answer.length === 0 && next <= bytes) {
          return Effect.succeed(ids.map(() => failure("getMany", "the shard answered for no id")))
        }
        const left = ids.slice(answer.length)
        if (budget.bytes <= 0) return Effect.succeed([...answer, ...left.map(() => leftOut)])
        const more = Math.max(Math.min(laterReplyBytes, budget.bytes), next)
        return Effect.map(getAll(at, left, [], budget, beside, more), (rest) => [...answer, ...rest])
      }
    })

  const apply = (writes: ReadonlyArray<ShardWrite>, tries?: "first"): Effect.Effect<Applied> =>
    spread(
      writes,
      ({ id }) => id,
      (at, group) => applyAll(at, group, tries)
    )

  /** One batch after the other, so that writes to one id keep their order; none after one that failed. */
  const applyAll = (at: ObjectPlace, writes: ReadonlyArray<ShardWrite>, tries?: "first"): Effect.Effect<Applied> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const size = batchSize(writes)
      const batch = size < writes.length ? writes.slice(0, size) : writes
      const firstUntil = now + millisFor(deadline, bytesOf(batch))
      const sent = tries === undefined ? batch : batch.map((write) => ({ ...write, firstUntil }))
      return Effect.matchEffect(ask(at, "apply", sent), {
        onFailure: (error) => Effect.succeed(writes.map(() => error)),
        onSuccess: (reply): Effect.Effect<Applied> => {
          if (reply._tag === "Moved") {
            const ids = batch.map(({ id }) => id)
            return unchanged(at, ids) ? Effect.succeed(writes.map(() => failure("apply", lost))) : apply(writes, tries)
          }
          const written: Applied = reply.answer.map((one) => (one.outcome === "full" ? full : one))
          return batch.length === writes.length
            ? Effect.succeed(written)
            : Effect.map(applyAll(at, writes.slice(size), tries), (rest) => [...written, ...rest])
        }
      })
    })

  const lease = (id: string, patience: number): Effect.Effect<Answer<"lease">, DurableCacheError> =>
    Effect.suspend(() => {
      const at = place(id)
      return Effect.flatMap(ask(at, "lease", id, patience), (reply) =>
        reply._tag === "Answered"
          ? Effect.succeed(reply.answer)
          : unchanged(at, [id])
            ? Effect.fail(failure("lease", lost))
            : lease(id, patience)
      )
    })

  return {
    getMany: (ids, along, maxBytes = Number.POSITIVE_INFINITY, beside) =>
      Effect.suspend(() => getMany(ids, along, { bytes: maxBytes }, beside)),
    lease: (id, patience) => lease(id, Duration.toMillis(patience)),
    release: (id, lease) => Effect.suspend(() => Effect.asVoid(ask(place(id), "release", id, lease))),
    apply,
    // The new objects' marks are later than all that the old ones gave, so that rows on their way are ended, too.
    invalidateTags: (tags, stamp) =>
      everywhere(stamp, (mark, places) =>
        Effect.map(
          Effect.forEach(places, (at) => ask(at, "invalidateTags", tags, mark), { concurrency: "unbounded" }),
          (replies) =>
            replies.reduce((latest, reply) => (reply._tag === "Moved" ? latest : later(latest, reply.answer)), mark)
        )
      ),
    // What leaves an old object after it has listed is listed by the new one that has it then.
    list: (prefix, after, limit) =>
      everywhere<ReadonlyArray<ReadonlyArray<Listed>>>([], (pages, places) =>
        Effect.map(
          Effect.forEach(places, (at) => ask(at, "list", prefix, after, limit), { concurrency: "unbounded" }),
          (replies) => [...pages, ...replies.map((reply) => (reply._tag === "Moved" ? [] : reply.answer))]
        )
      ).pipe(Effect.map((pages) => merged(pages, limit))),
    clear: (prefix, stamp) =>
      everywhere(stamp, (mark, places) =>
        Effect.map(
          Effect.forEach(places, (at) => ask(at, "clear", prefix, mark), { concurrency: "unbounded" }),
          (replies) =>
            replies.reduce((latest, reply) => (reply._tag === "Moved" ? latest : later(latest, reply.answer)), mark)
        )
      ),
    stats: Effect.orDie(
      everywhere<ShardsTold>({ shards: [], missing: [] }, (before, places) =>
        Effect.map(
          Effect.forEach(places, (at) => Effect.option(ask(at, "stats")), { concurrency: "unbounded" }),
          (replies) => ({
            shards: [
              ...before.shards,
              ...replies.flatMap((told) =>
                Option.isSome(told) && told.value._tag === "Answered" ? [told.value.answer] : []
              )
            ],
            missing: [...before.missing, ...places.filter((_, index) => Option.isNone(replies[index]!)).map(objectName)]
          })
        )
      )
    ),
    flush: everywhere<number>(0, (before, places) =>
      Effect.map(
        Effect.forEach(places, (at) => ask(at, "flush"), { concurrency: "unbounded" }),
        (replies) => before + replies.filter((reply) => reply._tag === "Answered" && reply.answer).length
      )
    ),
    restore: (saved) =>
      everywhere<number>(0, (before, places) =>
        Effect.map(
          Effect.forEach(places, (at) => ask(at, "restore", saved), { concurrency: "unbounded" }),
          (replies) => replies.reduce((sum, reply) => sum + (reply._tag === "Moved" ? 0 : reply.answer), before)
        )
      ),
    objectOf: (id) => objectName(place(id)),
    enabled: true
  }
}

// internal

type Found = ReadonlyArray<Entry | undefined | DurableCacheError>

type Besides = (found: ReadonlyArray<Beside>) => void

type Applied = ReadonlyArray<ShardWritten | DurableCacheError>

/** What all replies together may still have. */
interface Budget {
  bytes: number
}

const full = new DurableCacheError({ operation: "apply", reason: "Full" })

const leftOut = new DurableCacheError({ operation: "get", reason: "LeftOut" })

const lost = "the shard says that it has given its keys away, but not to which objects"

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

/**
 * The first `limit` of all, each once: while keys move, two objects may have one. No further than the object has looked
 * that has looked least far.
 */
const merged = (pages: ReadonlyArray<ReadonlyArray<Listed>>, limit: number): ReadonlyArray<Listed> => {
  if (pages.length === 1) return pages[0]!
  const [end] = pages.flatMap((page) => page.filter(({ more }) => more)).sort(byId)
  const rows = [
    ...new Map(pages.flatMap((page) => page.filter(({ more }) => !more)).map((row) => [row.id, row])).values()
  ]
    .filter((row) => end === undefined || byId(row, end) <= 0)
    .sort(byId)
    .slice(0, limit)
  return end === undefined || rows.length === limit ? rows : [...rows, end]
}

const byId = (a: Listed, b: Listed): number => compareUtf8(a.id, b.id)
