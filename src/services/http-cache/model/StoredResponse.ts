/** A contiguous part of a representation, as a 206 brought it. Positions count from 0, `last` included. */
export interface Part {
  readonly first: number
  readonly last: number
  /** Bytes of the whole representation. */
  readonly size: number
}

/**
 * A response as kept: all but its body, which lies beside it under `id`. A body never changes; what a validation
 * freshens is this record alone. It travels as JSON. Times are milliseconds since the epoch, ages and lifetimes seconds.
 */
export interface StoredResponse {
  /** Names the body; unique to it. */
  readonly id: string
  readonly url: string
  readonly status: number
  readonly statusText: string
  readonly headers: ReadonlyArray<readonly [string, string]>
  /** When its request left, and when it came. */
  readonly requestTime: number
  readonly responseTime: number
  /** Its `Date`, or the moment it came. */
  readonly date: number
  /** How old it was when it came: `corrected_initial_age` of RFC 9111, 4.2.3. */
  readonly initialAge: number
  readonly lifetime: number
  /** Whether it may be served without asking the origin: never (`no-cache`), not once stale, or also then. */
  readonly reuse: "validated" | "fresh" | "stale"
  readonly staleWhileRevalidate: number
  /** Undefined where the response does not say. */
  readonly staleIfError: number | undefined
  /** The request fields that selected it, lower case and in order, and what they said, normalised; null for absent. */
  readonly vary: ReadonlyArray<string>
  readonly selecting: ReadonlyArray<string | null>
  readonly tags: ReadonlyArray<string>
  readonly etag: string | undefined
  readonly lastModified: number | undefined
  readonly language: string | undefined
  /** Set on a 206: what of the representation the body is. */
  readonly part: Part | undefined
  /** Whether positions in the body are positions in what clients get: false where the runtime encodes it on the way. */
  readonly rangeable: boolean
  /** Bytes of the body. */
  readonly size: number
}

/** Seconds since the origin made or validated it (RFC 9111, 4.2.3). */
export const ageOf = (stored: StoredResponse, now: number): number =>
  stored.initialAge + Math.max(0, now - stored.responseTime) / 1000

/** Seconds that it stays fresh; zero or less once it is stale. */
export const remaining = (stored: StoredResponse, now: number): number => stored.lifetime - ageOf(stored, now)

/** A validator that says the bytes are the same, not only the meaning (RFC 9110, 8.8.1). */
export const strongEtag = (stored: Pick<StoredResponse, "etag">): string | undefined =>
  stored.etag?.startsWith('"') === true ? stored.etag : undefined
