import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Background } from "../../../services/base/Background.ts"
import { type DurableCache, DurableCacheError } from "../../../services/durable/DurableCache.ts"
import type { ShardWrite } from "../../../services/durable/Shard.ts"
import { type Outbox, OutboxError } from "../../../services/snapshots/Outbox.ts"
import { within } from "../../base/guard.ts"
import type { makeParkedWrites, Parked } from "./parkedWrites.ts"

/** Bytes that go to a shard ahead of what is asked of it: a second more to wait at most. */
const aheadBytes = 1_000_000

/** Values of the outbox that are read at once. */
const namesTogether = 4

/** What one RPC behind an answer carries: whichever is reached first. */
const batchBytes = 2 * 1024 * 1024
const batchWrites = 200

/** How long one answer is followed by deliveries: `waitUntil` gives 30 s. */
const followMillis = 25_000

/** After which a delivery that never reported is given up: its request has died. */
const givenUpMillis = 60_000

/**
 * Brings parked writes to their shards: the few that an answer depends on ahead of it, the others behind it, a batch at
 * a time, each marked by itself. What does not fit into memory is read back from the outbox.
 *
 * @param deadline how long KV may take for a read of the outbox
 */
export const makeParkedDelivery = (
  durable: DurableCache["Type"],
  outbox: Outbox["Type"],
  parked: ReturnType<typeof makeParkedWrites>,
  deadline: Duration.Duration
) => {
  const tooSlow = () => new OutboxError({ operation: "read", reason: "Unavailable" })
  /** Objects that have answered since the last delivery to them. */
  const answered = new Set<string>()
  /** Until when a delivery counts as under way. One at a time: two would hold the memory of two batches. */
  let underWayUntil = 0

  /** Gives the ids of those that were taken, and of the others with why. */
  const deliver = (writes: ReadonlyArray<ShardWrite>) =>
    Effect.map(writes.length === 0 ? Effect.succeed([]) : durable.apply(writes), (results) => {
      const taken: Array<string> = []
      const failed = new Map<string, DurableCacheError>()
      for (const [index, write] of writes.entries()) {
        const result = results[index]!
        if (result instanceof DurableCacheError) {
          failed.set(write.id, result)
          continue
        }
        parked.delivered(write)
        taken.push(write.id)
      }
      return { taken, failed }
    })

  const readBack = (name: string): Effect.Effect<ReadonlyArray<ShardWrite>> =>
    outbox.read(name).pipe(
      within(deadline, tooSlow),
      Effect.map((writes = []) => writes.map(({ body, id, stamp }) => ({ body, id, stamp }))),
      Effect.catchAll((error) => Effect.as(Effect.logWarning("parked writes could not be read back", error), []))
    )

  const readTogether = (names: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<ShardWrite>> =>
    Effect.map(Effect.forEach(names, readBack, { concurrency: namesTogether }), (read) => read.flat())

  /** Of those that only the outbox has, as far as KV shows them here. */
  const writesOf = (wanted: ReadonlyArray<Parked>): Effect.Effect<ReadonlyArray<ShardWrite>> => {
    const here = wanted.flatMap(({ write }) => write ?? [])
    const names = new Set(wanted.flatMap(({ name, write }) => (write === undefined ? [name] : [])))
    if (names.size === 0) return Effect.succeed(here)
    const ids = new Set(wanted.map(({ id }) => id))
    return Effect.map(readTogether([...names].slice(0, namesTogether)), (read) => [
      ...here,
      ...read.filter(({ id }) => ids.has(id))
    ])
  }

  const belongsTo = (object: string) => (id: string) => durable.objectOf(id) === object

  /** What goes next to an object: writes that are here, or else names that have to be read back. */
  const nextFor = (object: string, isOut: (name: string) => boolean) => {
    const here: Array<ShardWrite> = []
    const outside = new Set<string>()
    let bytes = 0
    let outsideBytes = 0
    for (const one of parked.of(belongsTo(object))) {
      if (one.write === undefined) {
        if (isOut(one.name) || outside.size === namesTogether) continue
        if (outside.size > 0 && outsideBytes + one.bytes > batchBytes) continue
        outside.add(one.name)
        outsideBytes += one.bytes
        continue
      }
      if (here.length > 0 && bytes + one.bytes > batchBytes) break
      here.push(one.write)
      bytes += one.bytes
      if (here.length === batchWrites) break
    }
    return { here, outside }
  }

  /** A batch to each of the objects in turn, until all is delivered, none of them takes more, or the time is over. */
  const deliverAll = (until: number): Effect.Effect<void> =>
    Effect.gen(function* () {
      /** Read back once, whatever came of it: KV may not show them here yet. */
      const out = new Set<string>()
      while (answered.size > 0) {
        for (const object of [...answered]) {
          if ((yield* Clock.currentTimeMillis) >= until) return
          const { here, outside } = nextFor(object, (name) => out.has(name))
          if (here.length + outside.size === 0) {
            answered.delete(object)
            continue
          }
          if (here.length === 0) for (const name of outside) out.add(name)
          const { failed } = yield* deliver(here.length > 0 ? here : yield* readTogether([...outside]))
          if (failed.size === 0) continue
          answered.delete(object)
          yield* Effect.logDebug("parked writes stay in the outbox", failed)
        }
      }
    })

  return {
    /** What lies in the outbox under a name, as far as KV shows it here. */
    readBack,

    /**
     * Delivers what is parked of these ids, so that what their shards say counts it in. Gives the ids of which something
     * stays parked: with the failure of their shard, or undefined where it is too much to be waited for.
     */
    ahead: (ids: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, DurableCacheError | undefined>> =>
      Effect.suspend(() => {
        if (parked.isEmpty()) return Effect.succeed(none)
        const left = new Map<string, DurableCacheError | undefined>()
        const going: Array<Parked> = []
        let bytes = 0
        for (const id of new Set(ids)) {
          const one = parked.get(id)
          if (one === undefined) continue
          left.set(id, undefined)
          if (bytes + one.bytes > aheadBytes) continue
          bytes += one.bytes
          going.push(one)
        }
        if (left.size === 0) return Effect.succeed(none)
        return Effect.map(Effect.flatMap(writesOf(going), deliver), ({ failed, taken }) => {
          for (const id of taken) left.delete(id)
          return new Map([...left, ...failed])
        })
      }),

    /** The shards of these ids have just answered: what else is parked for them follows behind. */
    behind: (ids: ReadonlyArray<string>): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (parked.isEmpty()) return Effect.void
        for (const object of new Set(ids.map(durable.objectOf))) {
          const { here, outside } = nextFor(object, () => false)
          if (here.length + outside.size > 0) answered.add(object)
        }
        return Effect.flatMap(Effect.zip(Clock.currentTimeMillis, Background), ([now, background]) => {
          if (answered.size === 0 || now < underWayUntil) return Effect.void
          underWayUntil = now + givenUpMillis
          return background.run(
            Effect.ensuring(
              deliverAll(now + followMillis),
              Effect.sync(() => {
                underWayUntil = 0
              })
            )
          )
        })
      })
  }
}

const none: ReadonlyMap<string, DurableCacheError | undefined> = new Map()
