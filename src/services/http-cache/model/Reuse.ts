import type { RequestDirectives } from "./RequestDirectives.ts"
import { ageOf, type StoredResponse } from "./StoredResponse.ts"

/**
 * What may be done with a stored response that a request selects:
 * - `serve` as it is;
 * - `serve-and-revalidate`: stale, within `stale-while-revalidate`;
 * - `validate` first, because it is stale or must always be (`stale`), or because the client asks for it (`request`).
 */
export type Verdict =
  | { readonly use: "serve" }
  | { readonly use: "serve-and-revalidate" }
  | { readonly use: "validate"; readonly because: "stale" | "request" }

const serve: Verdict = { use: "serve" }
const serveAndRevalidate: Verdict = { use: "serve-and-revalidate" }
const stale: Verdict = { use: "validate", because: "stale" }
const asked: Verdict = { use: "validate", because: "request" }

/** RFC 9111, 4.2 and 5.2.1; RFC 5861, 3. */
export const verdict = (stored: StoredResponse, request: RequestDirectives, now: number): Verdict => {
  if (stored.reuse === "validated") return stale
  if (request.noCache) return asked
  const age = ageOf(stored, now)
  const left = stored.lifetime - age
  const welcomeStale =
    stored.reuse === "stale" && left <= 0 && request.maxStale !== undefined && -left <= request.maxStale
  if (request.maxAge !== undefined && age > request.maxAge && !welcomeStale) return asked
  if (request.minFresh !== undefined && left < request.minFresh) return asked
  if (left > 0 || welcomeStale) return serve
  return stored.reuse === "stale" && -left < stored.staleWhileRevalidate ? serveAndRevalidate : stale
}

/**
 * Whether it may stand in for an origin that answered with an error (`status`), or not at all. Without
 * `stale-if-error` an error is an answer, and only an unreachable origin is stood in for (RFC 9111, 4.2.4).
 */
export const standsIn = (
  stored: StoredResponse,
  failure: "unreachable" | number,
  staleWhenUnreachable: number,
  now: number
): boolean => {
  if (stored.reuse !== "stale") return false
  const past = ageOf(stored, now) - stored.lifetime
  if (stored.staleIfError !== undefined) return past <= stored.staleIfError
  return failure === "unreachable" && past <= staleWhenUnreachable
}

/** The answers that `stale-if-error` counts as errors (RFC 5861, 4). */
export const isError = (status: number): boolean => status === 500 || status === 502 || status === 503 || status === 504
