import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BreakerLimits } from "../../services/base/model/Breaker.ts"
import type { ShardWrite } from "../../services/durable/Shard.ts"
import { makeBreaker, Skipped, type Verdict, within } from "../base/guard.ts"
import type { ShardCall } from "./object/shardHandoff.ts"
import { type Arguments, type ShardMethod, wireBytes } from "./object/shardProtocol.ts"

/** How long a call may take: `base`, and a second more for every `bytesPerSecond` that it carries. */
export interface CallDeadline {
  readonly base: Duration.Duration
  readonly bytesPerSecond: number
}

export interface CallLimits {
  readonly deadline: CallDeadline
  readonly breaker: BreakerLimits
}

/** A second a megabyte. */
export const deadlineOf = (base: Duration.Duration): CallDeadline => ({ base, bytesPerSecond: 1_000_000 })

/** Milliseconds for a call that carries so many bytes. */
export const millisFor = ({ base, bytesPerSecond }: CallDeadline, bytes: number): number =>
  Duration.toMillis(base) + 1000 * Math.floor(bytes / bytesPerSecond)

/** Bytes that writes take on the wire. */
export const bytesOf = (writes: ReadonlyArray<ShardWrite>): number =>
  writes.reduce((sum, { body, id }) => sum + wireBytes(id, body), 0)

/**
 * Calls with a deadline, a breaker and a second try, each object for itself: one that is out of reach makes no other
 * wait. What the object may take its time for (a flush, a restore, giving its keys away) has none of it.
 *
 * A breaker saves waiting. It counts calls within the base deadline that came to nothing, and refusals of an object that
 * is overloaded. A large call that fails says nothing of the object: the call may be what is wrong. Any reply closes it.
 *
 * What the platform calls retryable is tried once more, on a stub of its own; a write is not, as its second try is
 * another one than its first.
 */
export const guarded = (call: ShardCall, { breaker, deadline }: CallLimits): ShardCall => {
  const breakers = new Map<string, ReturnType<typeof makeBreaker<unknown>>>()

  const breakerOf = (object: string) => {
    const known = breakers.get(object) ?? makeBreaker<unknown>(breaker)
    breakers.set(object, known)
    return known
  }

  return (object, method, ...args) => {
    const bytes = sizeOf(method, args)
    if (bytes === undefined) return call(object, method, ...args)
    const waiting = method === "lease" ? (args as Arguments<"lease">)[1] : 0
    const millis = Duration.millis(millisFor(deadline, bytes) + waiting)
    const tried = Effect.suspend(() => call(object, method, ...args)).pipe(
      within(millis, () => new Skipped({ reason: "Deadline" }))
    )
    const verdict = (error: unknown): Verdict =>
      bytes < deadline.bytesPerSecond || isOverloaded(error) ? "failing" : "nothing"
    return breakerOf(object).call(method === "apply" ? tried : Effect.catchIf(tried, isRetryable, () => tried), verdict)
  }
}

export const isOverloaded = (error: unknown): boolean =>
  (error as { readonly overloaded?: unknown } | undefined)?.overloaded === true

// internal

const isRetryable = (error: unknown): boolean =>
  (error as { readonly retryable?: unknown } | undefined)?.retryable === true && !isOverloaded(error)

/** Bytes that a call carries there, or may bring back; undefined for one without a deadline. */
const sizeOf = <M extends ShardMethod>(method: M, args: Arguments<M>): number | undefined => {
  switch (method) {
    case "flush":
    case "restore":
    case "receive":
    case "reshard":
      return undefined
    case "apply":
      return bytesOf((args as Arguments<"apply">)[0])
    case "getMany":
      return (args as Arguments<"getMany">)[2] ?? 0
    default:
      return 0
  }
}
