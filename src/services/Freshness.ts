import type { Observation } from "./Entry.ts"

/** How long an observation may be served from one tier. All in milliseconds, counted from `readAt`. */
export interface Window {
  /** Served as it is. */
  readonly ttl: number
  /** Beyond `ttl`: served, and refreshed behind. */
  readonly staleFor: number
  /** Beyond `ttl`: served only when the refresh failed. */
  readonly graceFor: number
}

/** `fresh`: an answer. `stale`: an answer that must be refreshed behind. `grace`: an answer only if nobody else has one. */
export type Freshness = "fresh" | "stale" | "grace" | "expired"

/** The moment until which an observation is fresh in a tier: `ttl` after it was read, and never past its own expiry. */
export const freshUntil = (observation: Observation, ttl: number): number =>
  Math.min(observation.readAt + ttl, observation.entry?.expiresAt ?? Number.POSITIVE_INFINITY)

/**
 * What an observation is worth at `now`. An entry past its own expiry is gone for whoever cannot load it again
 * (`loadable` false); staleness and grace beyond it exist only where a loader will replace it.
 */
export const freshnessOf = (observation: Observation, window: Window, now: number, loadable: boolean): Freshness => {
  const until = freshUntil(observation, window.ttl)
  if (now < until) return "fresh"
  if (!loadable && observation.entry !== undefined && now >= observation.entry.expiresAt) return "expired"
  const over = now - until
  if (over < window.staleFor) return "stale"
  if (over < window.graceFor) return "grace"
  return "expired"
}

/**
 * XFetch (Vattani, Chierichetti, Lowenstein, VLDB 2015): refresh before expiry with a probability that rises as the
 * expiry nears and with the cost of loading: when `now - loadMillis * beta * ln(random) >= expiresAt`.
 *
 * @param random uniform in (0, 1]
 */
export const shouldRefreshEarly = (observation: Observation, now: number, beta: number, random: number): boolean =>
  observation.entry !== undefined &&
  observation.entry.loadMillis > 0 &&
  now - observation.entry.loadMillis * beta * Math.log(random) >= observation.entry.expiresAt

/** A duration shortened by up to the fraction `jitter`, so that entries filled together do not expire together. */
export const jittered = (millis: number, jitter: number, random: number): number => millis * (1 - jitter * random)
