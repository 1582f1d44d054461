import type { FailureClass } from "../../market/Throttle.ts"
import type { NotifierError } from "../../notifications/Notifier.ts"

/** How a failure that may pass counts with the throttle; undefined for one that would fail again. */
export const failureClassOf = ({ reason }: NotifierError): FailureClass | undefined => {
  switch (reason) {
    case "RateLimited":
      return "rate-limited"
    case "TimedOut":
      return "timed-out"
    case "Unavailable":
      return "unavailable"
    default:
      return undefined
  }
}

/** Under which name the throttle counts a receiver. */
export const receiverOf = (target: string): string => {
  try {
    return `webhook ${new URL(target).host}`
  } catch {
    return "webhook"
  }
}
