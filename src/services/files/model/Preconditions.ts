/** The conditional headers of a request (RFC 9110, 13.1). */
export interface Conditions {
  readonly ifMatch: string | null
  readonly ifNoneMatch: string | null
  readonly ifModifiedSince: string | null
  readonly ifUnmodifiedSince: string | null
}

export const conditionsOf = (headers: Headers): Conditions => ({
  ifMatch: headers.get("If-Match"),
  ifNoneMatch: headers.get("If-None-Match"),
  ifModifiedSince: headers.get("If-Modified-Since"),
  ifUnmodifiedSince: headers.get("If-Unmodified-Since")
})

/** What a condition is compared with. */
export interface Validators {
  /** A strong entity tag with its quotes. */
  readonly etag: string
  /** Milliseconds since the epoch; compared in whole seconds, as the header has them. */
  readonly modifiedAt: number
}

/** The order of RFC 9110, 13.2.2, for a resource that exists. */
export const evaluate = (
  conditions: Conditions,
  method: "GET" | "HEAD" | "PUT" | "DELETE",
  { etag, modifiedAt }: Validators
): "proceed" | "not-modified" | "failed" => {
  const seconds = Math.floor(modifiedAt / 1000)
  const read = method === "GET" || method === "HEAD"
  if (conditions.ifMatch !== null) {
    if (!names(conditions.ifMatch, etag, "strong")) return "failed"
  } else if (conditions.ifUnmodifiedSince !== null) {
    const since = secondsOf(conditions.ifUnmodifiedSince)
    if (since !== undefined && seconds > since) return "failed"
  }
  if (conditions.ifNoneMatch !== null) {
    if (names(conditions.ifNoneMatch, etag, "weak")) return read ? "not-modified" : "failed"
  } else if (read && conditions.ifModifiedSince !== null) {
    const since = secondsOf(conditions.ifModifiedSince)
    if (since !== undefined && seconds <= since) return "not-modified"
  }
  return "proceed"
}

/** The same for a resource that does not exist. */
export const evaluateAbsent = ({ ifMatch }: Conditions): "proceed" | "failed" =>
  ifMatch === null ? "proceed" : "failed"

/**
 * Whether `If-Range` lets the range apply (RFC 9110, 13.1.5): the same strong tag, or the same date if that identifies
 * the representation, which it does once the second of the change is over.
 */
export const rangeApplies = (ifRange: string | null, { etag, modifiedAt }: Validators, now: number): boolean => {
  if (ifRange === null) return true
  if (ifRange.includes('"')) return ifRange.trim() === etag
  const seconds = Math.floor(modifiedAt / 1000)
  return secondsOf(ifRange) === seconds && now >= (seconds + 1) * 1000
}

/** Whether a list of entity tags, or `*`, names one. */
export const names = (header: string, etag: string, comparison: "strong" | "weak"): boolean => {
  if (header.trim() === "*") return true
  return tagsOf(header).some((tag) => tag === etag || (comparison === "weak" && tag === `W/${etag}`))
}

/** The entity tags of a list, weak ones with their `W/`. */
export const tagsOf = (header: string): ReadonlyArray<string> =>
  header.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? []

const secondsOf = (date: string): number | undefined => {
  if (!httpDate.test(date.trim())) return undefined
  const millis = Date.parse(date)
  return Number.isNaN(millis) ? undefined : Math.floor(millis / 1000)
}

/** The three forms of RFC 9110, 5.6.7; anything else is no date, whatever `Date.parse` makes of it. */
const httpDate =
  /^(?:[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/
