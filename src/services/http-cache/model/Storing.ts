import { parse as parseContentRange } from "./ContentRange.ts"
import { listMembers } from "./Directives.ts"
import type { HttpCachePolicy } from "./HttpCachePolicy.ts"
import * as HttpDate from "./HttpDate.ts"
import { ofResponse, type ResponseDirectives } from "./ResponseDirectives.ts"
import * as Selection from "./Selection.ts"
import type { StoredResponse } from "./StoredResponse.ts"

/** Statuses whose responses may be fresh by a guess (RFC 9110, 15.1). 206 only as part of what it is a part of. */
const heuristicallyCacheable = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])

/** Statuses whose caching rules we know, for `must-understand`. */
const understood = new Set([...heuristicallyCacheable, 302, 303, 307, 400, 403, 500, 502, 503, 504])

/** Fields of one connection, and those that RFC 9111, 3.1 keeps out of a cache. */
const neverStored = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
  "cache-status",
  "age",
  "set-cookie"
])

/** What a 304 never changes: it describes a message without a body, the stored response has one (RFC 9111, 3.2). */
const neverUpdated = new Set(["content-encoding", "content-length", "content-md5", "content-range", "etag"])

export interface Exchange {
  readonly method: string
  readonly url: string
  readonly requestHeaders: Headers
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  /** Milliseconds since the epoch. */
  readonly requestTime: number
  readonly responseTime: number
}

/** Why a shared cache must not keep a response (RFC 9111, 3), or undefined when it may. */
export const forbidden = (
  exchange: Exchange,
  directives: ResponseDirectives,
  policy: HttpCachePolicy
): string | undefined => {
  const { headers, status } = exchange
  if (status < 200 || status > 599 || status === 304 || status === 416) return "status"
  if (directives.mustUnderstand && !understood.has(status)) return "must-understand"
  if (directives.noStore && !directives.mustUnderstand) return "no-store"
  if (directives.private === "response") return "private"
  if (exchange.requestHeaders.has("authorization") && !directives.public && !directives.sharedByName)
    return "authorization"
  if (headers.has("set-cookie") && policy.setCookie === "bypass" && !names(directives.noCache, "set-cookie"))
    return "set-cookie"
  if (Selection.varyOf(headers) === undefined) return "vary"
  if (status === 206 && !isConsistentPart(headers)) return "content-range"
  return undefined
}

/** Whether a part says where it belongs, and has as many bytes as it says. */
const isConsistentPart = (headers: Headers): boolean => {
  const part = parseContentRange(headers.get("content-range"))
  return part !== undefined && headers.get("content-length") === String(part.last - part.first + 1)
}

const names = (scope: ResponseDirectives["noCache"], field: string): boolean =>
  Array.isArray(scope) && scope.includes(field)

const ageField = (headers: Headers): number => {
  const field = headers.get("age")
  if (field === null) return 0
  // Of a list the first member counts; what is no number does not (RFC 9111, 5.1).
  const first = field.split(",")[0]!.trim()
  return /^\d+$/.test(first) ? Number(first) : 0
}

const initialAge = ({ headers, requestTime, responseTime }: Exchange, date: number): number => {
  const apparent = Math.max(0, responseTime - date) / 1000
  return Math.max(apparent, ageField(headers) + Math.max(0, responseTime - requestTime) / 1000)
}

/** Seconds of freshness: by a directive, else `Expires`, else a guess where one is allowed (RFC 9111, 4.2.1). */
const lifetime = (
  { headers, responseTime, status }: Exchange,
  directives: ResponseDirectives,
  date: number,
  policy: HttpCachePolicy
): number => {
  if (directives.lifetime !== undefined) return directives.lifetime
  if (!directives.targeted && headers.has("expires")) {
    const expires = HttpDate.ofField(headers, "expires", responseTime)
    return expires === undefined ? 0 : Math.max(0, (expires - date) / 1000)
  }
  if (!heuristicallyCacheable.has(status) && !directives.public) return 0
  const modified = HttpDate.ofField(headers, "last-modified", responseTime)
  if (modified === undefined || modified > date) return 0
  return Math.min(policy.heuristicMost, ((date - modified) / 1000) * policy.heuristicShare)
}

const reuse = (directives: ResponseDirectives): StoredResponse["reuse"] =>
  directives.noCache === "response" ? "validated" : directives.mustRevalidate ? "fresh" : "stale"

/** The header fields to keep. Fields that `Connection`, `no-cache` or `private` name stay out. */
const keptFields = (headers: Headers, directives: ResponseDirectives): Array<readonly [string, string]> => {
  const left = new Set(neverStored)
  for (const name of listMembers(headers.get("connection") ?? "")) left.add(name.toLowerCase())
  for (const scope of [directives.noCache, directives.private]) {
    if (Array.isArray(scope)) for (const name of scope) left.add(name)
  }
  return [...headers].filter(([name]) => !left.has(name))
}

const tagsOf = (headers: Headers): ReadonlyArray<string> => listMembers(headers.get("cache-tag") ?? "")

/** What follows from a response's fields and the moment they came; computed once, so that a hit is arithmetic. */
const derived = (exchange: Exchange, directives: ResponseDirectives, policy: HttpCachePolicy) => {
  const { headers, responseTime } = exchange
  const date = HttpDate.ofField(headers, "date", responseTime) ?? responseTime
  return {
    requestTime: exchange.requestTime,
    responseTime,
    date,
    initialAge: initialAge(exchange, date),
    lifetime: lifetime(exchange, directives, date, policy),
    reuse: reuse(directives),
    staleWhileRevalidate: directives.staleWhileRevalidate,
    staleIfError: directives.staleIfError,
    tags: tagsOf(headers),
    lastModified: HttpDate.ofField(headers, "last-modified", responseTime),
    language: headers.get("content-language")?.trim().toLowerCase()
  }
}

/** Whether it can ever be used: fresh, served stale, or validated. */
const useful = (stored: StoredResponse): boolean =>
  stored.lifetime > stored.initialAge ||
  stored.staleWhileRevalidate > 0 ||
  (stored.status < 300 && (stored.etag !== undefined || stored.lastModified !== undefined))

/** The response as it is to be kept, without its body's size; a reason where it must not or need not be. */
export const toStore = (id: string, exchange: Exchange, policy: HttpCachePolicy): StoredResponse | string => {
  const { headers, status } = exchange
  const directives = ofResponse(headers, policy.targets)
  const reason = forbidden(exchange, directives, policy)
  if (reason !== undefined) return reason
  const vary = Selection.varyOf(headers)!
  const automatic = policy.encodeBody === "automatic" && headers.has("content-encoding")
  const stored: StoredResponse = {
    id,
    url: exchange.url,
    status,
    statusText: exchange.statusText,
    headers: keptFields(headers, directives),
    ...derived(exchange, directives, policy),
    vary,
    selecting: Selection.selecting(vary, exchange.requestHeaders),
    etag: headers.get("etag") ?? undefined,
    part: status === 206 ? parseContentRange(headers.get("content-range")) : undefined,
    rangeable: !automatic,
    size: 0
  }
  return useful(stored) ? stored : "stale"
}

/**
 * The stored response after a 304 brought fields of its own (RFC 9111, 3.2 and 4.3.4), and whether they still allow to
 * keep it. The 304 answers a condition that named this response only, so it is taken for
 * this one even if its own ETag differs.
 */
export const freshened = (
  stored: StoredResponse,
  exchange: Exchange,
  policy: HttpCachePolicy
): { readonly stored: StoredResponse; readonly keep: boolean } => {
  const headers = new Headers(stored.headers.map(([name, value]) => [name, value] as [string, string]))
  const replaced = new Set<string>()
  for (const [name, value] of keptFields(exchange.headers, ofResponse(exchange.headers, policy.targets))) {
    if (neverUpdated.has(name)) continue
    if (replaced.has(name)) headers.append(name, value)
    else headers.set(name, value)
    replaced.add(name)
  }
  const directives = ofResponse(headers, policy.targets)
  const whole = new Headers(headers)
  const age = exchange.headers.get("age")
  if (age !== null) whole.set("age", age)
  if (!exchange.headers.has("date")) whole.delete("date")
  const now: Exchange = { ...exchange, status: stored.status, statusText: stored.statusText, headers: whole }
  return {
    stored: { ...stored, headers: keptFields(headers, directives), ...derived(now, directives, policy) },
    keep: forbidden(now, directives, policy) === undefined
  }
}

/**
 * The stored response after a HEAD (RFC 9111, 4.3.5): freshened where it is evidently still the same, stale where it
 * evidently is not; undefined where the response to HEAD says nothing of it.
 */
export const updatedByHead = (
  stored: StoredResponse,
  exchange: Exchange,
  policy: HttpCachePolicy
): StoredResponse | undefined => {
  const { headers, status } = exchange
  if (status !== 200 || stored.status !== 200) return undefined
  const same = (name: string): boolean => {
    const field = headers.get(name)
    return field === null || field === stored.headers.find(([own]) => own === name)?.[1]
  }
  if (["etag", "last-modified", "content-length"].every(same)) {
    const fresh = freshened(stored, exchange, policy)
    if (fresh.keep) return fresh.stored
  }
  return { ...stored, lifetime: 0, staleWhileRevalidate: 0 }
}

/** Bytes of the body by the message's own account; undefined where it gives none, or counts them encoded. */
export const announcedBytes = (stored: Pick<StoredResponse, "rangeable">, headers: Headers): number | undefined => {
  const field = headers.get("content-length")
  return field === null || !/^\d+$/.test(field) || !stored.rangeable ? undefined : Number(field)
}
