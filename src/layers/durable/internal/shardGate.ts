import * as Effect from "effect/Effect"
import { type Departure, departureOf, hasMoved } from "../../../services/durable/model/Topology.ts"
import type { Shard } from "../../../services/durable/Shard.ts"
import { compareUtf8 } from "../../../services/kv/model/KvPaging.ts"
import type { Answer, ShardMethod, ShardProtocol, ShardReply } from "../object/shardProtocol.ts"

/** What is asked of the keys themselves. */
type KeyMethod = Exclude<ShardMethod, "receive" | "reshard">

type Keys = {
  readonly [M in KeyMethod]: (...args: Parameters<ShardProtocol[M]>) => Effect.Effect<ShardReply<Answer<M>>>
}

const nothing = { requests: 0, rowsRead: 0, rowsWritten: 0 }

/**
 * What an object that gives its keys away still answers: reads of ids that have not moved, and invalidations and clears once the
 * new objects have its marks. Of the marks set from then on the new objects have their own, from the same call.
 */
export const gated = (host: Keys, shard: Shard["Type"]): Keys => {
  const telling =
    (departure: Departure) =>
    <A>(reply: ShardReply<A>): ShardReply<A> =>
      reply._tag === "Answered" ? { ...reply, departure } : reply

  /** `work` when it gives nothing away; else what `then` makes of how far it is. */
  const unless = <A>(
    work: () => Effect.Effect<ShardReply<A>>,
    then: (departure: Departure) => Effect.Effect<ShardReply<A>> | "Moved" | "Moving"
  ): Effect.Effect<ShardReply<A>> =>
    Effect.suspend(() => {
      const seal = shard.seal()
      if (seal === undefined) return work()
      const departure = departureOf(seal)
      const answer = then(departure)
      const told = seal.blind && answer !== "Moved" ? "Moving" : answer
      return typeof told === "string"
        ? Effect.succeed({ _tag: told, billed: nothing, departure })
        : Effect.map(told, telling(departure))
    })

  const gone = (departure: Departure, ids: ReadonlyArray<string>): boolean =>
    departure.done || ids.some((id) => hasMoved(departure, id))

  return {
    getMany: (ids, along, bytes, beside) =>
      unless(
        () => host.getMany(ids, along, bytes, beside),
        (departure) => (gone(departure, ids) ? "Moved" : host.getMany(ids, [], bytes))
      ),
    apply: (writes) =>
      unless(
        () => host.apply(writes),
        (departure) =>
          gone(
            departure,
            writes.map(({ id }) => id)
          )
            ? "Moved"
            : "Moving"
      ),
    // Nobody is given a lease whose fill would be refused.
    lease: (id, patience) =>
      unless(
        () => host.lease(id, patience),
        (departure) =>
          gone(departure, [id])
            ? "Moved"
            : Effect.map(
                host.getMany([id]),
                (reply): ShardReply<Answer<"lease">> =>
                  reply._tag === "Answered"
                    ? {
                        ...reply,
                        answer:
                          reply.answer[0] === undefined ? { _tag: "Busy" } : { _tag: "Found", entry: reply.answer[0] }
                      }
                    : reply
              )
      ),
    release: host.release,
    list: (prefix, after, limit) =>
      unless(
        () => host.list(prefix, after, limit),
        (departure) => {
          if (departure.done) return "Moved"
          const { through } = departure
          return host.list(prefix, after !== undefined && compareUtf8(after, through) > 0 ? after : through, limit)
        }
      ),
    invalidateTags: (tags, stamp) =>
      unless(
        () => host.invalidateTags(tags, stamp),
        (departure) =>
          departure.done ? "Moved" : shard.seal()!.phase === "sealed" ? "Moving" : host.invalidateTags(tags, stamp)
      ),
    clear: (prefix, stamp) =>
      unless(
        () => host.clear(prefix, stamp),
        (departure) =>
          departure.done ? "Moved" : shard.seal()!.phase === "sealed" ? "Moving" : host.clear(prefix, stamp)
      ),
    stats: () => unless(host.stats, (departure) => (departure.done ? "Moved" : host.stats())),
    flush: () => unless(host.flush, (departure) => (departure.done ? "Moved" : host.flush())),
    restore: (saved) =>
      unless(
        () => host.restore(saved),
        (departure) => (departure.done ? "Moved" : "Moving")
      )
  }
}
