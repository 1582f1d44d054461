import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/** One message to one receiver. */
export interface Notification {
  /** The same for every attempt: by it the receiver tells a repetition from a second event. */
  readonly key: string
  readonly target: string
  /** JSON. */
  readonly body: string
}

/**
 * - `ForbiddenTarget`: the address is not one that may be notified. `Unsigned`: there is no secret to sign with, or one
 *   of no use.
 * - `Redirected`: redirects are not followed. `Refused`: any other 4xx without a `Retry-After`, and 410.
 * - `RateLimited`: 429. `TimedOut`: no answer in time, or 408. `Unavailable`: 5xx, 425, a 4xx with a `Retry-After`, or no
 *   connection.
 */
export type NotifierReason =
  | "ForbiddenTarget"
  | "Unsigned"
  | "Redirected"
  | "Refused"
  | "RateLimited"
  | "TimedOut"
  | "Unavailable"

export class NotifierError extends Data.TaggedError("NotifierError")<{
  readonly operation: "deliver"
  readonly reason: NotifierReason
  /** The status that was answered, if any was. */
  readonly status?: number
  /** Seconds that the receiver asked for. */
  readonly retryAfter?: number
  readonly cause?: unknown
}> {
  override get message(): string {
    return `delivery failed: ${this.reason}${this.status === undefined ? "" : ` (${this.status})`}`
  }
}

/** Brings notifications to their receivers, at least once. */
export class Notifier extends Context.Tag("larder/Notifier")<
  Notifier,
  {
    /**
     * Succeeds when the receiver answered 2xx. Transient failures have been tried again under the retry policy, unless
     * the receiver said when to.
     */
    readonly deliver: (notification: Notification) => Effect.Effect<void, NotifierError>
    /** Why this address would not be notified, in words; undefined when it would. */
    readonly refuses: (target: string) => string | undefined
  }
>() {}

/** Whether the receiver said that it is gone for good: nothing more is to be sent to it. */
export const isGone = ({ reason, status }: NotifierError): boolean => reason === "Refused" && status === 410

/** Whether the failure may pass by itself, so that the same notification is worth another attempt. */
export const isTransient = ({ reason }: NotifierError): boolean =>
  reason === "RateLimited" || reason === "TimedOut" || reason === "Unavailable"
