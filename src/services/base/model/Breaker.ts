import * as Duration from "effect/Duration"

/**
 * A circuit breaker as a value and three pure transitions. Closed: calls pass, failures in a row are counted. Open:
 * calls are skipped until `until`. Half-open: one call tries; its outcome closes or opens the breaker again. A trial
 * that never reports (its request died) is given up after another cooldown.
 * Pattern: Nygard, Release It! (2007), chapter 5.
 */
export type Breaker =
  | { readonly state: "closed"; readonly failures: number }
  | { readonly state: "open"; readonly until: number }
  | { readonly state: "half-open"; readonly until: number }

export interface BreakerLimits {
  readonly threshold: number
  readonly cooldownMillis: number
}

/** The limits that settings give. */
export const breakerLimits = (settings: {
  readonly breakerThreshold: number
  readonly breakerCooldown: Duration.Duration
}): BreakerLimits => ({
  threshold: settings.breakerThreshold,
  cooldownMillis: Duration.toMillis(settings.breakerCooldown)
})

export const closed: Breaker = { state: "closed", failures: 0 }

/** Whether a call may pass at `now` (milliseconds), and the breaker after asking. */
export const ask = (breaker: Breaker, limits: BreakerLimits, now: number): readonly [boolean, Breaker] => {
  if (breaker.state === "closed") return [true, breaker]
  if (now < breaker.until) return [false, breaker]
  return [true, { state: "half-open", until: now + limits.cooldownMillis }]
}

export const succeeded = (): Breaker => closed

export const failed = (breaker: Breaker, limits: BreakerLimits, now: number): Breaker => {
  const failures = breaker.state === "closed" ? breaker.failures + 1 : limits.threshold
  return failures >= limits.threshold
    ? { state: "open", until: now + limits.cooldownMillis }
    : { state: "closed", failures }
}
