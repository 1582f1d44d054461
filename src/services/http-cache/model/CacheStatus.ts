/** Why a request went to the origin (RFC 9211, 2.2). */
export type Forward = "bypass" | "method" | "uri-miss" | "vary-miss" | "request" | "stale" | "partial"

export type Tier = "memory" | "edge"

export type CacheStatus =
  | { readonly hit: Tier /** Seconds of freshness left. */; readonly ttl: number; readonly collapsed?: boolean }
  | {
      readonly forward: Forward
      /** What the origin answered, where the client gets another status. */
      readonly status?: number
      readonly stored?: boolean
      /** A word more: why it was not stored. */
      readonly detail?: string
    }

const largestInteger = 999_999_999_999_999

/** The member that this cache adds to `Cache-Status`. */
export const format = (name: string, status: CacheStatus): string => {
  if ("hit" in status) {
    const ttl = Math.max(-largestInteger, Math.min(largestInteger, Math.floor(status.ttl)))
    return `${name}; hit; ttl=${ttl}${status.collapsed === true ? "; collapsed" : ""}; detail=${status.hit}`
  }
  const parameters = [
    `fwd=${status.forward}`,
    ...(status.status === undefined ? [] : [`fwd-status=${status.status}`]),
    ...(status.stored === true ? ["stored"] : []),
    ...(status.detail === undefined ? [] : [`detail=${status.detail}`])
  ]
  return `${name}; ${parameters.join("; ")}`
}

/** Adds the member behind those of the caches before this one. */
export const append = (headers: Headers, member: string): void => headers.append("cache-status", member)
