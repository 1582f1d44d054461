import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TypedCollection from "../repository/model/TypedCollection.ts"
import * as declared from "./model/MarketCollections.ts"

/**
 * - `rate-limited`: it asks to be left alone (429). `unavailable`: 5xx, or no connection. `timed-out`: no answer in time.
 * - `refused`: any other 4xx. `malformed`: not the answer it promises.
 */
export const FailureClass = Schema.Literal("rate-limited", "unavailable", "timed-out", "refused", "malformed")

export type FailureClass = Schema.Schema.Type<typeof FailureClass>

/** The failures in a row of one provider in one class. */
export const Failures = Schema.Struct({
  count: Schema.Int.pipe(Schema.positive()),
  /** Milliseconds since the epoch, of the last one. */
  at: Schema.Int,
  /** Milliseconds since the epoch until which the provider is left alone. */
  until: Schema.Int
})

export interface Failures extends Schema.Schema.Type<typeof Failures> {}

/** A provider that is left alone. */
export interface Blocked extends Failures {
  readonly failureClass: FailureClass
}

/** Leaves providers alone that keep failing. It never fails itself: what cannot be asked or kept throttles nobody. */
export class Throttle extends Context.Tag("larder/Throttle")<
  Throttle,
  {
    /** Who shares what is known: one isolate, or all of them through the store. */
    readonly scope: "isolate" | "shared"
    /** Whether, why and until when a provider is to be left alone. */
    readonly blocked: (provider: string) => Effect.Effect<Option.Option<Blocked>>
    /** Counts a failure. `retryAfter`: seconds that the provider asked for. */
    readonly failed: (
      provider: string,
      failureClass: FailureClass,
      options?: { readonly retryAfter?: number }
    ) => Effect.Effect<Failures>
    /** Forgets a provider's failures. Costs nothing where this isolate knows of none. */
    readonly succeeded: (provider: string) => Effect.Effect<void>
    /** What this isolate knows, for monitoring. */
    readonly known: (now: number) => ReadonlyArray<Blocked & { readonly provider: string }>
  }
>() {}

interface Backoff {
  /** Failures in a row that have no consequence. */
  readonly free: number
  readonly first: number
  readonly longest: number
}

const seconds = 1000
const minutes = 60 * seconds

/** One that asks to be left alone is; a hiccup is tried again at once; what is refused today is so in a minute, too. */
const backoffs: { readonly [C in FailureClass]: Backoff } = {
  "rate-limited": { free: 0, first: 60 * seconds, longest: 60 * minutes },
  unavailable: { free: 1, first: 30 * seconds, longest: 15 * minutes },
  "timed-out": { free: 1, first: 30 * seconds, longest: 15 * minutes },
  refused: { free: 0, first: 5 * minutes, longest: 360 * minutes },
  malformed: { free: 1, first: 60 * seconds, longest: 60 * minutes }
}

/** How long after the end of its pause a failure still counts as one in a row. Milliseconds. */
export const memoryOfFailures = 60 * minutes

/**
 * The failures after one more: each pause twice as long as the one before, up to the class's longest, and at least what
 * the provider asked for, within a day.
 */
export const failedOnce = (
  before: Failures | undefined,
  failureClass: FailureClass,
  now: number,
  retryAfterSeconds = 0
): Failures => {
  const count = before !== undefined && now < before.until + memoryOfFailures ? before.count + 1 : 1
  const { first, free, longest } = backoffs[failureClass]
  const pause = count <= free ? 0 : Math.min(longest, first * 2 ** Math.min(count - free - 1, 30))
  const asked = Math.min(Math.max(0, retryAfterSeconds) * seconds, 24 * 60 * minutes)
  return { count, at: now, until: Math.ceil(Math.max(now + pause, now + asked, before?.until ?? 0)) }
}

/** Of several classes, the one that holds longest; undefined when none holds any more. */
export const longestOf = (known: ReadonlyArray<Blocked>, now: number): Blocked | undefined =>
  known.reduce<Blocked | undefined>(
    (longest, next) => (next.until > now && next.until > (longest?.until ?? 0) ? next : longest),
    undefined
  )

export const failureClasses: ReadonlyArray<FailureClass> = FailureClass.literals

/** Failures by `class/provider`, for isolates that share them. */
export const throttleStates = TypedCollection.make({
  ...declared.throttleStates,
  key: Schema.NonEmptyString,
  value: Failures
})
