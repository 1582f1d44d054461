import * as Directives from "./Directives.ts"

/** What a client asks of a cache (RFC 9111, 5.2.1). Seconds. */
export interface RequestDirectives {
  readonly noStore: boolean
  readonly noCache: boolean
  readonly onlyIfCached: boolean
  readonly maxAge: number | undefined
  readonly minFresh: number | undefined
  /** How long past its freshness a response is still welcome; `Infinity` for `max-stale` without a value. */
  readonly maxStale: number | undefined
}

const none: RequestDirectives = {
  noStore: false,
  noCache: false,
  onlyIfCached: false,
  maxAge: undefined,
  minFresh: undefined,
  maxStale: undefined
}

/** `Pragma` is not read: RFC 9111 deprecates it, and a client that means it sends `Cache-Control`, too. */
export const ofRequest = (headers: Headers): RequestDirectives => {
  const field = headers.get("cache-control")
  if (field === null) return none
  const directives = Directives.parse(field)
  return {
    noStore: directives.has("no-store"),
    noCache: directives.has("no-cache"),
    onlyIfCached: directives.has("only-if-cached"),
    maxAge: Directives.seconds(directives, "max-age"),
    minFresh: Directives.seconds(directives, "min-fresh"),
    maxStale:
      directives.get("max-stale") === true ? Number.POSITIVE_INFINITY : Directives.seconds(directives, "max-stale")
  }
}
