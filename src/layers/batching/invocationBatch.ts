import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { Background, type BackgroundService } from "../../services/base/Background.ts"

/** Turns of the scheduler that a tick lasts at least and at most. No clock: a Worker's stands still between I/O. */
const leastTurns = 1
const mostTurns = 8

/** Waits in a row that nobody joined, after which they become shorter. */
const lonely = 16

interface Tick<Item, Answer, E> {
  readonly items: Array<Item>
  readonly done: Deferred.Deferred<ReadonlyArray<Answer>, E>
}

/** Where no event has provided one there is no telling its events apart: nobody waits for anybody. */
const unprovided = Context.get(Context.empty(), Background)

/**
 * Gathers what one invocation asks within one tick. A tick begins with the first question and lasts some turns of the
 * scheduler: more where questions keep coming just after, fewer where it waits in vain. The invocation is told by its
 * Background; another one's fibers are never waited for.
 */
export const makeInvocationBatch = <Item, Answer, E>() => {
  const open = new WeakMap<BackgroundService, Map<object, Tick<Item, Answer, E>>>()
  const running = new WeakMap<BackgroundService, number>()
  let turns = leastTurns
  let alone = 0

  const adapt = (late: boolean, joined: boolean): void => {
    if (late) turns = Math.min(mostTurns, turns + 1)
    alone = joined ? 0 : alone + 1
    if (alone >= lonely) {
      alone = 0
      turns = Math.max(leastTurns, turns - 1)
    }
  }

  /** Asks for the items together with all that comes in the same tick down the same lane. */
  return (
    lane: object,
    items: ReadonlyArray<Item>,
    run: (items: ReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<Answer>, E>
  ): Effect.Effect<ReadonlyArray<Answer>, E> =>
    Effect.flatMap(Background, (background) => {
      if (background === unprovided) return run(items)
      const lanes = open.get(background) ?? new Map<object, Tick<Item, Answer, E>>()
      open.set(background, lanes)
      const joining = lanes.get(lane)
      if (joining !== undefined) {
        const from = joining.items.push(...items) - items.length
        return Effect.map(Deferred.await(joining.done), (answers) => answers.slice(from, from + items.length))
      }
      const mine = items.length
      const underWay = running.get(background) ?? 0
      return Effect.flatMap(Deferred.make<ReadonlyArray<Answer>, E>(), (done) => {
        const tick = { items: [...items], done }
        lanes.set(lane, tick)
        const close = Effect.suspend(() => {
          lanes.delete(lane)
          adapt(underWay > 0, tick.items.length > mine)
          running.set(background, (running.get(background) ?? 0) + 1)
          return Effect.ensuring(
            run(tick.items),
            Effect.sync(() => running.set(background, (running.get(background) ?? 1) - 1))
          )
        })
        const waited = Effect.forEach(Array.from({ length: turns }), () => Effect.yieldNow(), { discard: true })
        return Effect.forkDaemon(Deferred.complete(done, Effect.zipRight(waited, close))).pipe(
          Effect.zipRight(Deferred.await(done)),
          Effect.map((answers) => answers.slice(0, mine))
        )
      })
    })
}
