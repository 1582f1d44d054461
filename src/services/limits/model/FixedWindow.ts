/** Hits since a moment, up to the end of their window. Milliseconds since the epoch. */
export interface Window {
  readonly hits: number
  readonly endsAt: number
}

export interface RateLimitResult {
  readonly allowed: boolean
  /** Hits in this window, this one among them. */
  readonly used: number
  readonly remaining: number
  /** Milliseconds since the epoch when the window ends. */
  readonly resetAt: number
}

/** Windows begin at multiples of their length, so that all who count agree on them. */
const endOf = (now: number, windowMillis: number): number => (Math.floor(now / windowMillis) + 1) * windowMillis

/** @param hits to add; negative ones take back, down to none */
export const hit = (before: Window | undefined, hits: number, now: number, windowMillis: number): Window => {
  const lives = before !== undefined && before.endsAt > now
  return {
    hits: Math.max(0, (lives ? before.hits : 0) + hits),
    endsAt: lives ? before.endsAt : endOf(now, windowMillis)
  }
}

export const resultOf = ({ endsAt, hits }: Window, limit: number): RateLimitResult => ({
  allowed: hits <= limit,
  used: hits,
  remaining: Math.max(0, limit - hits),
  resetAt: endsAt
})
