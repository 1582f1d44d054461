import type { StoredResponse } from "./StoredResponse.ts"

/** What the specifications leave to the operator of a cache. */
export interface HttpCachePolicy {
  /** Its name in `Cache-Status`: a token. */
  readonly name: string
  /** Targeted fields that it obeys, the most specific first (RFC 9213). */
  readonly targets: ReadonlyArray<string>
  /** Share of the time since `Last-Modified` that a response without explicit freshness stays fresh; 0 for none. */
  readonly heuristicShare: number
  /** Seconds that a heuristic lifetime never exceeds. */
  readonly heuristicMost: number
  /**
   * Seconds past its freshness that a response is served when the origin cannot be reached, where neither the response
   * says otherwise (`stale-if-error`) nor forbids it. An answer of the origin, a 503 too, is not that.
   */
  readonly staleWhenUnreachable: number
  /**
   * What becomes of a response with `Set-Cookie`: not kept, or kept without that field. Never is the field itself kept:
   * a cookie belongs to the client it was sent to.
   */
  readonly setCookie: "bypass" | "strip"
  /**
   * Whether the runtime encodes bodies by their `Content-Encoding` on the way out, as workerd does by default, or sends
   * them as they are (`encodeBody: "manual"`).
   */
  readonly encodeBody: "automatic" | "manual"
  /** Whether Cloudflare's Workers Cache, or its CDN, stands in front of this one and is told in `CDN-Cache-Control`. */
  readonly front: "none" | "cloudflare"
  /** Bytes up to which a body is kept in memory; larger ones only at the edge. */
  readonly memoryBodyBytes: number
  /** Bytes up to which a body is kept at all. */
  readonly bodyBytes: number
  /** Variants kept of one resource. */
  readonly variants: number
  /** The resource that a request is for: requests with one key may share a response. */
  readonly key: (url: string) => string
}

/** A response's URL without what never reaches a server. */
export const keyOfUrl = (url: string): string => {
  const fragment = url.indexOf("#")
  return fragment === -1 ? url : url.slice(0, fragment)
}

export const defaultPolicy: HttpCachePolicy = {
  name: "Larder",
  targets: ["cdn-cache-control"],
  heuristicShare: 0.1,
  heuristicMost: 86_400,
  staleWhenUnreachable: 86_400,
  setCookie: "bypass",
  encodeBody: "automatic",
  front: "none",
  memoryBodyBytes: 1 << 20,
  bodyBytes: 512 * (1 << 20),
  variants: 16,
  key: keyOfUrl
}

/** Seconds that a stale response with a validator is kept, so that it can be validated. */
const keptForValidation = 7 * 86_400

/** Milliseconds since the epoch after which the stored response is of no use any more. */
export const retainUntil = (stored: StoredResponse, policy: HttpCachePolicy): number => {
  const validator = stored.etag !== undefined || stored.lastModified !== undefined
  const past =
    stored.reuse === "stale"
      ? Math.max(stored.staleWhileRevalidate, stored.staleIfError ?? policy.staleWhenUnreachable)
      : 0
  const seconds = stored.lifetime - stored.initialAge + Math.max(past, validator ? keptForValidation : 0)
  return stored.responseTime + seconds * 1000
}
