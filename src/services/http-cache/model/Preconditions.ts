import { listMembers } from "./Directives.ts"
import * as HttpDate from "./HttpDate.ts"
import { type StoredResponse, strongEtag } from "./StoredResponse.ts"

const weakly = (tag: string): string => (tag.startsWith("W/") ? tag.slice(2) : tag)

/**
 * Whether the client has what is stored already, so that the answer is 304 (RFC 9110, 13.1.2 and 13.1.3; RFC 9111,
 * 4.3.2). `If-None-Match` goes before `If-Modified-Since`.
 */
export const notModified = (stored: StoredResponse, headers: Headers, now: number): boolean => {
  if (stored.status !== 200) return false
  const tags = headers.get("if-none-match")
  if (tags !== null) {
    if (tags.trim() === "*") return true
    const own = stored.etag
    return own !== undefined && listMembers(tags).some((tag) => weakly(tag) === weakly(own))
  }
  const since = HttpDate.ofField(headers, "if-modified-since", now)
  return since !== undefined && (stored.lastModified ?? stored.date) <= since
}

/** A `Last-Modified` tells two states apart only if its second had passed when the response was made. */
const strongDate = (stored: StoredResponse): number | undefined =>
  stored.lastModified !== undefined && stored.date - stored.lastModified >= 1000 ? stored.lastModified : undefined

/** Whether a `Range` counts: without `If-Range`, or if what it names is what is stored (RFC 9110, 13.1.5). */
export const rangeApplies = (stored: StoredResponse, headers: Headers, now: number): boolean => {
  const condition = headers.get("if-range")
  if (condition === null) return true
  if (condition.startsWith('"')) return condition === strongEtag(stored)
  const date = HttpDate.parse(condition, now)
  return date !== undefined && date === strongDate(stored)
}

const conditions = ["if-none-match", "if-modified-since"]

/** The fields that only an origin can judge: it alone knows the current state of the resource. */
export const isForOrigin = (headers: Headers): boolean => headers.has("if-match") || headers.has("if-unmodified-since")

const lastModifiedField = (stored: StoredResponse): string | undefined =>
  stored.headers.find(([name]) => name === "last-modified")?.[1]

/** Whether the origin can say "not modified" of it. */
export const canValidate = (stored: StoredResponse): boolean =>
  stored.status === 200 && stored.part === undefined && (stored.etag !== undefined || stored.lastModified !== undefined)

/** A request's fields with its own conditions and range replaced by the question whether the stored response holds. */
export const validating = (headers: Headers, stored: StoredResponse): Headers => {
  const fields = new Headers(headers)
  for (const name of [...conditions, "range", "if-range"]) fields.delete(name)
  if (stored.etag !== undefined) fields.set("if-none-match", stored.etag)
  const modified = lastModifiedField(stored)
  if (modified !== undefined) fields.set("if-modified-since", modified)
  return fields
}

/** A request's fields without conditions and range: it asks for the whole response. */
export const unconditional = (headers: Headers): Headers => {
  const fields = new Headers(headers)
  for (const name of [...conditions, "range", "if-range"]) fields.delete(name)
  return fields
}
