import * as ByteRange from "./ByteRange.ts"
import * as ContentRange from "./ContentRange.ts"
import * as Selection from "./Selection.ts"
import { type StoredResponse, strongEtag } from "./StoredResponse.ts"

/** The header fields of a body that is this part, or the whole. */
const headersOf = (stored: StoredResponse, part: StoredResponse["part"], size: number): StoredResponse["headers"] => [
  ...stored.headers.filter(([name]) => name !== "content-range" && name !== "content-length"),
  ["content-length", String(size)] as const,
  ...(part === undefined ? [] : [["content-range", ContentRange.format(part)] as const])
]

/**
 * Two stored parts as one response, with the later one's fields; undefined unless the same strong validator says that
 * they are of one state (RFC 9110, 15.3.7.3), both are of one variant, and no byte is missing between them.
 */
export const together = (id: string, earlier: StoredResponse, later: StoredResponse): StoredResponse | undefined => {
  const etag = strongEtag(later)
  if (etag === undefined || strongEtag(earlier) !== etag || !Selection.sameVariant(earlier, later)) return undefined
  if (earlier.part === undefined || later.part === undefined) return undefined
  const joined = ByteRange.joined(earlier.part, later.part)
  if (joined === undefined) return undefined
  const size = joined.last - joined.first + 1
  const whole = ByteRange.isWhole(joined)
  const part = whole ? undefined : joined
  return {
    ...later,
    id,
    size,
    part,
    headers: headersOf(later, part, size),
    ...(whole ? { status: 200, statusText: "OK" } : {})
  }
}

/** The `Range` of what a stored part lacks; undefined where that is not one range, or nothing vouches for the state. */
export const missing = (stored: StoredResponse): string | undefined => {
  const { part } = stored
  if (part === undefined || strongEtag(stored) === undefined) return undefined
  if (part.first === 0) return `bytes=${part.last + 1}-`
  return part.last === part.size - 1 ? `bytes=0-${part.first - 1}` : undefined
}

/** A request's fields, asking for what the stored part lacks, or for the whole if it is of another state by now. */
export const completing = (headers: Headers, stored: StoredResponse, range: string): Headers => {
  const fields = new Headers(headers)
  for (const name of ["if-none-match", "if-modified-since"]) fields.delete(name)
  fields.set("range", range)
  fields.set("if-range", stored.etag!)
  return fields
}
