import type { HttpCachePolicy } from "./HttpCachePolicy.ts"
import type { StoredResponse } from "./StoredResponse.ts"

const field = "cdn-cache-control"

const seconds = (name: string, value: number | undefined): ReadonlyArray<string> =>
  value === undefined || value < 1 ? [] : [`${name}=${Math.floor(value)}`]

const directivesOf = (stored: StoredResponse): string => {
  if (stored.reuse === "validated") return "no-cache"
  const lifetime = `max-age=${Math.floor(stored.lifetime)}`
  if (stored.reuse === "fresh") return `${lifetime}, must-revalidate`
  return [
    lifetime,
    ...seconds("stale-while-revalidate", stored.staleWhileRevalidate),
    ...seconds("stale-if-error", stored.staleIfError)
  ].join(", ")
}

/**
 * Tells a cache of Cloudflare's in front of this one (`front: "cloudflare"`) what this cache knows, in the field that is
 * meant for it, unless the response has that field already. It disables `stale-while-revalidate` where it finds
 * `s-maxage`, and keeps what says nothing of freshness for two hours: so the lifetime is written as `max-age`, and what
 * was not stored here is `no-store` there. `Age`, which every stored response carries, counts against the lifetime.
 */
export const tellFront = (headers: Headers, stored: StoredResponse | undefined, { front }: HttpCachePolicy): void => {
  if (front === "none" || headers.has(field)) return
  headers.set(field, stored === undefined ? "no-store" : directivesOf(stored))
}
