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
 * What an observation is worth at `now`. An entry past its own expiry is gone for a caller that cannot load it again
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

/**
 * Whether an entry that is made anew ahead of time will be asked for while it lives: with requests that come at random
 * at a rate, the probability of one within a life is `1 - e^(-rate * life)`. Refreshing whatever is held would cost one
 * load a life for every key, asked for or not.
 *
 * @param rate requests per millisecond
 * @param theta probability that it takes
 */
export const willBeAskedAgain = (rate: number, lifeMillis: number, theta: number): boolean =>
  1 - Math.exp(-rate * lifeMillis) >= theta

/** How far the life of loaded entries may depart from the policy's, either way. */
const leastShare = 1 / 4
const mostShare = 4

/**
 * The life of the next entry, after a load that found the value changed or not: half as long, or longer by half, from a
 * quarter of the policy's to four times (additive increase would take too long for rare changes).
 */
export const adaptedTtl = (current: number, changed: boolean, policyTtl: number): number =>
  Math.min(policyTtl * mostShare, Math.max(policyTtl * leastShare, changed ? current / 2 : current * 1.5))

/** A duration shortened by up to the fraction `jitter`, so that entries filled together do not expire together. */
export const jittered = (millis: number, jitter: number, random: number): number => millis * (1 - jitter * random)

/** Whether it answers who can load: an absence only when a load has made it. */
export const answersLoad = ({ entry, final }: Observation): boolean => entry !== undefined || final === true

/** Whether it is worth having in place of what is held, to who wants to refresh that. */
export const outlives = ({ entry }: Observation, held: Observation | undefined): boolean =>
  held?.entry === undefined || (entry !== undefined && entry.expiresAt > held.entry.expiresAt)
