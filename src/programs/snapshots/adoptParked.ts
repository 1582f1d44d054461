import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { ShardWrite } from "../../services/durable/Shard.ts"
import type { Outbox, OutboxError } from "../../services/snapshots/Outbox.ts"

export interface Swept {
  /** Names whose writes were all taken. */
  readonly adopted: number
  /** Writes under them. */
  readonly writes: number
  /** Names that could not be read or not be taken, and stay where they are. */
  readonly failed: number
  /** Names listed that have expired, or are not visible here yet. */
  readonly absent: number
  /** False when names were left for another time, the limit being reached or the day's reads spent. */
  readonly complete: boolean
}

/** Reads that one run may spend, below the 1,000 KV operations of an invocation. */
const readsPerRun = 900

/**
 * Reads the wanted names of every page of the outbox and hands over what lies under each, a few at a time: order does
 * not matter, stamps decide. One name's failure is logged and holds up no other. Fails when a page cannot be listed.
 */
export const adoptParked = <E, R>(
  outbox: Context.Tag.Service<Outbox>,
  wanted: (names: ReadonlyArray<string>) => ReadonlyArray<string>,
  adopt: (name: string, writes: ReadonlyArray<ShardWrite>) => Effect.Effect<unknown, E, R>
): Effect.Effect<Swept, OutboxError, R> =>
  Effect.gen(function* () {
    const count = { adopted: 0, writes: 0, failed: 0, absent: 0 }
    let left = readsPerRun
    let spent = false

    const one = (name: string) =>
      Effect.gen(function* () {
        if (spent || left === 0) return
        left -= 1
        const writes = yield* outbox.read(name)
        if (writes === undefined) {
          count.absent += 1
          return
        }
        yield* adopt(name, outsideWrites(writes))
        count.adopted += 1
        count.writes += writes.length
      }).pipe(
        Effect.catchAll((error) => {
          count.failed += 1
          spent ||= isSpent(error)
          return Effect.logWarning(`the outbox's ${name} was not adopted`, error)
        })
      )

    let complete = true
    let cursor: string | undefined
    do {
      const page = yield* outbox.list(cursor)
      const names = wanted(page.names)
      complete = names.length <= left
      yield* Effect.forEach(names, one, { concurrency: 4, discard: true })
      cursor = page.cursor
    } while (cursor !== undefined && complete && !spent)
    return { ...count, complete: complete && !spent }
  })

/**
 * What a write found in the outbox still is: it counts by its own stamp, its first try being long over; and a loader's
 * fill, which is no write, is nothing any more.
 */
const outsideWrites = (writes: ReadonlyArray<ShardWrite>): ReadonlyArray<ShardWrite> =>
  writes.flatMap(({ body, id, lease, stamp }) => (lease === undefined ? [{ body, id, stamp }] : []))

/** The day's reads are used up: asking for more names is useless until midnight UTC. */
const isSpent = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  "_tag" in error &&
  error._tag === "OutboxError" &&
  "reason" in error &&
  error.reason === "DailyLimit"
