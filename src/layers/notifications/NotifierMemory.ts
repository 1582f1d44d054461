import * as Effect from "effect/Effect"
import type { Notification, Notifier, NotifierError } from "../../services/notifications/Notifier.ts"

/** A receiver of the program's own: what it took, and what it is to answer. */
export interface Receiver {
  /** Every attempt, in order. */
  readonly attempts: Array<Notification>
  /** The failure of an attempt, counted from 1; undefined to take it. */
  answer: (notification: Notification, attempt: number) => NotifierError | undefined
  /** Why an address would not be notified. */
  refuses: (target: string) => string | undefined
}

export const receiver = (): Receiver => ({ attempts: [], answer: () => undefined, refuses: () => undefined })

/** Brings notifications to a list. For tests and replays; nothing is tried again. */
export const make = (to: Receiver): Notifier["Type"] => ({
  deliver: (notification) =>
    Effect.suspend(() => to.answer(notification, to.attempts.push(notification)) ?? Effect.void),
  refuses: (target) => to.refuses(target)
})
