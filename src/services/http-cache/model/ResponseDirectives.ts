import { type Item, parseDictionary } from "structured-headers"
import * as Directives from "./Directives.ts"

/** What a response's directives say to a shared cache. Seconds. */
export interface ResponseDirectives {
  /** Whether a targeted field says it; `Cache-Control` and `Expires` then say nothing. */
  readonly targeted: boolean
  readonly noStore: boolean
  readonly mustUnderstand: boolean
  readonly public: boolean
  readonly private: Directives.Scope
  readonly noCache: Directives.Scope
  /** `must-revalidate`, `proxy-revalidate` or `s-maxage`: once stale, never to be served without validation. */
  readonly mustRevalidate: boolean
  /** `must-revalidate` or `s-maxage`, which also allow to keep a response to a request with `Authorization`. */
  readonly sharedByName: boolean
  /** From `s-maxage`, else `max-age`. */
  readonly lifetime: number | undefined
  readonly staleWhileRevalidate: number
  readonly staleIfError: number | undefined
}

const ofDirectives = (directives: Directives.Directives, targeted: boolean): ResponseDirectives => {
  const sMaxAge = Directives.seconds(directives, "s-maxage")
  return {
    targeted,
    noStore: directives.has("no-store"),
    mustUnderstand: directives.has("must-understand"),
    public: directives.has("public"),
    private: Directives.scope(directives, "private"),
    noCache: Directives.scope(directives, "no-cache"),
    mustRevalidate: directives.has("must-revalidate") || directives.has("proxy-revalidate") || sMaxAge !== undefined,
    sharedByName: directives.has("must-revalidate") || sMaxAge !== undefined,
    lifetime: sMaxAge ?? Directives.seconds(directives, "max-age"),
    staleWhileRevalidate: Directives.seconds(directives, "stale-while-revalidate") ?? 0,
    staleIfError: Directives.seconds(directives, "stale-if-error")
  }
}

const integers = new Set(["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"])

/** A member's value as `Cache-Control` would write it; undefined for a type that the directive does not have. */
const written = (name: string, [value]: Item): string | true | undefined => {
  if (integers.has(name)) return Number.isInteger(value) && (value as number) >= 0 ? String(value) : undefined
  return typeof value === "string" ? value : true
}

/**
 * A targeted field (RFC 9213): a dictionary of structured fields. Undefined when it is empty, malformed, or gives one of
 * the directives that count seconds another type; the cache then goes by what else there is. A boolean `?0` is absence.
 */
const targetedDirectives = (field: string): Directives.Directives | undefined => {
  try {
    const directives = new Map<string, string | true>()
    for (const [name, member] of parseDictionary(field)) {
      if (Array.isArray(member[0])) {
        directives.set(name, true)
        continue
      }
      if (member[0] === false) continue
      const value = written(name, member as Item)
      if (value === undefined) return undefined
      directives.set(name, value)
    }
    return directives.size === 0 ? undefined : directives
  } catch {
    return undefined
  }
}

/** The first targeted field of the list that is valid, else `Cache-Control`. */
export const ofResponse = (headers: Headers, targets: ReadonlyArray<string>): ResponseDirectives => {
  for (const target of targets) {
    const field = headers.get(target)
    const directives = field === null ? undefined : targetedDirectives(field)
    if (directives !== undefined) return ofDirectives(directives, true)
  }
  return ofDirectives(Directives.parse(headers.get("cache-control")), false)
}
