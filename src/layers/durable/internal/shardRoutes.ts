import * as Effect from "effect/Effect"
import { DurableCacheError } from "../../../services/durable/DurableCache.ts"
import {
  type Departure,
  learn,
  nextOf,
  type ObjectPlace,
  objectName,
  placeOf,
  placesOf,
  type RouteView,
  type Topology,
  viewOf
} from "../../../services/durable/model/Topology.ts"
import { Skipped } from "../../base/guard.ts"
import { isOverloaded } from "../guardedCalls.ts"
import type { ShardCall } from "../object/shardHandoff.ts"
import { type Answer, type Arguments, operationOf, type ShardMethod, type ShardReply } from "../object/shardProtocol.ts"

/** What an object said: its answer, or that it has not any more what it was asked about. */
type Told<A> =
  | Pick<Extract<ShardReply<A>, { readonly _tag: "Answered" }>, "_tag" | "answer" | "next" | "beside">
  | { readonly _tag: "Moved" }

/**
 * Where keys are, as far as an isolate knows. From the reply of an object that gives its keys away the way to them is
 * learnt before the reply is passed on, so that who asks again asks elsewhere. A cold isolate pays one more call.
 */
export const makeRoutes = (call: ShardCall, first: Topology) => {
  let view: RouteView = viewOf(first)

  const learnRoute = (at: ObjectPlace, departure: Departure | undefined): void => {
    if (departure !== undefined) view = learn(view, at, departure)
  }

  const ask = <M extends ShardMethod>(
    at: ObjectPlace,
    method: M,
    ...args: Arguments<M>
  ): Effect.Effect<Told<Answer<M>>, DurableCacheError> =>
    Effect.matchEffect(call(objectName(at), method, ...args), {
      onFailure: (cause) => Effect.fail(failure(method, cause)),
      onSuccess: (reply): Effect.Effect<Told<Answer<M>>, DurableCacheError> => {
        if (reply._tag === "Failed") return Effect.fail(failure(method, reply.failure))
        if (reply._tag === "Recovering") return Effect.fail(failure(method, "the object is recovering"))
        learnRoute(at, reply.departure)
        if (reply._tag === "Answered") return Effect.succeed(reply)
        return reply._tag === "Moved"
          ? Effect.succeed({ _tag: "Moved" })
          : Effect.fail(new DurableCacheError({ operation: operationOf[method], reason: "Moving" }))
      }
    })

  /** Every item goes to the object of its id; what the objects answer is put back into the order of the items. */
  const spread = <A, B>(
    items: ReadonlyArray<A>,
    idOf: (item: A) => string,
    each: (at: ObjectPlace, items: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>>
  ): Effect.Effect<ReadonlyArray<B>> =>
    Effect.suspend(() => {
      if (items.length === 0) return Effect.succeed([])
      if (view.base.shards === 1 && view.departures.size === 0) return each({ ...view.base, shard: 0 }, items)
      const answers: Array<B> = new Array(items.length)
      const travel = ({ at, positions }: { readonly at: ObjectPlace; readonly positions: ReadonlyArray<number> }) =>
        Effect.map(
          each(
            at,
            positions.map((position) => items[position]!)
          ),
          (given) => {
            for (const [index, position] of positions.entries()) answers[position] = given[index]!
          }
        )
      return Effect.as(
        Effect.forEach(routesOf(view, items, idOf), travel, { concurrency: "unbounded", discard: true }),
        answers
      )
    })

  /**
   * Asks the objects that have keys, and then, should there be any, those that keys move to: also when that is first
   * heard of by asking. Who has given all away need not be asked.
   */
  const everywhere = <A>(
    initial: A,
    each: (before: A, places: ReadonlyArray<ObjectPlace>) => Effect.Effect<A, DurableCacheError>
  ): Effect.Effect<A, DurableCacheError> => {
    const from = (before: A, after: number): Effect.Effect<A, DurableCacheError> =>
      Effect.suspend(() => {
        const { base, departures } = view
        const next = nextOf(view)
        if (base.generation > after) {
          const places = placesOf(base).filter(({ shard }) => departures.get(shard)?.done !== true)
          return Effect.flatMap(each(before, places), (told) => from(told, base.generation))
        }
        if (next === undefined || next.generation <= after) return Effect.succeed(before)
        return Effect.flatMap(each(before, placesOf(next)), (told) => from(told, next.generation))
      })
    return from(initial, Number.NEGATIVE_INFINITY)
  }

  return {
    ask,
    spread,
    everywhere,
    failure,
    place: (id: string): ObjectPlace => placeOf(view, id),
    /** Whether all of the ids would be looked for there once more. */
    unchanged: (at: ObjectPlace, ids: ReadonlyArray<string>): boolean =>
      ids.every((id) => objectName(placeOf(view, id)) === objectName(at))
  }
}

// internal

const failure = (method: ShardMethod, cause: unknown): DurableCacheError =>
  new DurableCacheError({
    operation: operationOf[method],
    reason: isOverloaded(cause) || isSkipped(cause) ? "Overloaded" : "Unavailable",
    cause
  })

/** A breaker is open: nothing was sent, and nothing is to be sent again. */
const isSkipped = (cause: unknown): boolean => cause instanceof Skipped && cause.reason === "BreakerOpen"

const routesOf = <A>(view: RouteView, items: ReadonlyArray<A>, idOf: (item: A) => string) => {
  const routes = new Map<number, { readonly at: ObjectPlace; readonly positions: Array<number> }>()
  for (const [position, item] of items.entries()) {
    const at = placeOf(view, idOf(item))
    // No generation has more than 64 objects, and there are two at most.
    const key = (at.generation - view.base.generation) * 4096 + at.shard
    const known = routes.get(key)
    if (known === undefined) routes.set(key, { at, positions: [position] })
    else known.positions.push(position)
  }
  return [...routes.values()]
}
