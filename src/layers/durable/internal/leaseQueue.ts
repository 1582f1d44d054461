import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type { Leased } from "../../../services/durable/DurableCache.ts"
import type { Shard } from "../../../services/durable/Shard.ts"

interface Waiter {
  readonly answer: Deferred.Deferred<Leased>
  /** Milliseconds; what a lease that ends the wait lasts. */
  readonly patience: number
  given: Leased | undefined
}

export interface LeaseQueue {
  /** @param patience milliseconds to wait at most, and that the lease lasts */
  readonly lease: (id: string, patience: number) => Effect.Effect<Leased>
  readonly release: (id: string, lease: number, now: number) => void
  /** Whether somebody waits for the id. */
  readonly isAwaited: (id: string) => boolean
  /** Something was written under the id: tells those who wait for it, should it concern them. */
  readonly settle: (id: string, now: number) => void
  /** As `settle`, after what may have ended any lease. */
  readonly settleAll: (now: number) => void
}

/**
 * Waiting for another one's lease, first come, first served. The shard alone knows what holds; here is only who waits,
 * and when to look again at the latest.
 */
export const make = (shard: Pick<Shard["Type"], "getMany" | "lease" | "release">): LeaseQueue => {
  const waiting = new Map<string, Array<Waiter>>()
  const ends = new Map<string, number>()

  /** Leases last about equally long, so the oldest end first. */
  const forgetEnded = (now: number): void => {
    for (const [id, until] of ends) {
      if (until >= now) return
      ends.delete(id)
    }
  }

  const attempt = (id: string, patience: number, now: number): Leased | undefined => {
    const until = now + patience
    const lease = shard.lease(id, until, now)
    if (lease !== undefined) {
      forgetEnded(now)
      ends.delete(id)
      ends.set(id, until)
      return { _tag: "Granted", lease }
    }
    const entry = shard.getMany([id], now)[0]
    return entry && { _tag: "Found", entry }
  }

  const give = (waiter: Waiter, leased: Leased): void => {
    waiter.given = leased
    Deferred.unsafeDone(waiter.answer, Effect.succeed(leased))
  }

  const settle = (id: string, now: number): void => {
    const queue = waiting.get(id)
    const first = queue?.[0]
    if (queue === undefined || first === undefined) return
    const leased = attempt(id, first.patience, now)
    if (leased === undefined) return
    const served = leased._tag === "Found" ? queue.splice(0) : queue.splice(0, 1)
    for (const waiter of served) give(waiter, leased)
  }

  const release = (id: string, lease: number, now: number): void => {
    shard.release(id, lease)
    settle(id, now)
  }

  const leave = (id: string, waiter: Waiter): void => {
    const queue = waiting.get(id)
    const place = queue?.indexOf(waiter) ?? -1
    if (place >= 0) queue?.splice(place, 1)
    if (queue?.length === 0) waiting.delete(id)
  }

  /** Until served, or out of patience; looks again whenever the lease that it knows of has ended. */
  const served = (id: string, waiter: Waiter, deadline: number): Effect.Effect<Leased> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      settle(id, now)
      if (waiter.given !== undefined) return Effect.succeed(waiter.given)
      if (now >= deadline) return Effect.succeed<Leased>({ _tag: "Busy" })
      const until = ends.get(id) ?? deadline
      const pause = until > now ? Math.min(until, deadline) - now : 1
      return Effect.flatMap(
        Effect.timeoutOption(Deferred.await(waiter.answer), pause),
        Option.match({ onNone: () => served(id, waiter, deadline), onSome: Effect.succeed })
      )
    })

  return {
    lease: (id, patience) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const leased = attempt(id, patience, now)
        if (leased !== undefined) return Effect.succeed(leased)
        const waiter: Waiter = { answer: Deferred.unsafeMake(FiberId.none), patience, given: undefined }
        const queue = waiting.get(id)
        if (queue === undefined) waiting.set(id, [waiter])
        else queue.push(waiter)
        return served(id, waiter, now + patience).pipe(
          Effect.onInterrupt(() =>
            Effect.map(Clock.currentTimeMillis, (at) => {
              if (waiter.given?._tag === "Granted") release(id, waiter.given.lease, at)
            })
          ),
          Effect.ensuring(Effect.sync(() => leave(id, waiter)))
        )
      }),
    release,
    isAwaited: (id) => waiting.has(id),
    settle,
    settleAll: (now) => {
      for (const id of [...waiting.keys()]) settle(id, now)
    }
  }
}
