/** The conditional headers of a request, as they were sent (RFC 9110, 13.1). Without one, its condition holds. */
export interface Conditions {
  readonly ifMatch?: string | null
  readonly ifNoneMatch?: string | null
  readonly ifModifiedSince?: string | null
  readonly ifUnmodifiedSince?: string | null
}

export const conditionsOf = (headers: Headers) => ({
  ifMatch: headers.get("If-Match"),
  ifNoneMatch: headers.get("If-None-Match"),
  ifModifiedSince: headers.get("If-Modified-Since"),
  ifUnmodifiedSince: headers.get("If-Unmodified-Since")
})

/**
 * What of a request would be conditions of a write, or undefined for a write without any. A date that is none is no
 * condition (RFC 9110, 13.1.4).
 */
export const writeConditionsOf = (headers: Headers): Conditions | undefined => {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince: since } = conditionsOf(headers)
  const ifUnmodifiedSince = since === null || secondsOf(since) === undefined ? null : since
  return ifMatch === null && ifNoneMatch === null && ifUnmodifiedSince === null
    ? undefined
    : { ifMatch, ifNoneMatch, ifUnmodifiedSince }
}

/** Why a condition cannot be judged, or undefined: an entity tag that is none must not count as one that differs. */
export const brokenCondition = ({ ifMatch, ifNoneMatch }: Conditions): string | undefined => {
  for (const [name, list] of [["If-Match", ifMatch] as const, ["If-None-Match", ifNoneMatch] as const]) {
    if (list != null && list.trim() !== "*" && !tagList.test(list)) {
      return `${name} is * or a list of entity tags, each in quotes, such as "abc", "def"`
    }
  }
  return undefined
}

/** What a condition is compared with. */
export interface Validators {
  /** A strong entity tag with its quotes. */
  readonly etag: string
  /** Milliseconds since the epoch; compared in whole seconds, as the header has them. Undefined: nobody knows it. */
  readonly modifiedAt: number | undefined
}

/** The order of RFC 9110, 13.2.2, for a resource that exists. */
export const evaluate = (
  conditions: Conditions,
  method: "GET" | "HEAD" | "PUT" | "DELETE",
  validators: Validators
): "proceed" | "not-modified" | "failed" => {
  const { ifMatch, ifModifiedSince, ifNoneMatch, ifUnmodifiedSince } = conditions
  const seconds = validators.modifiedAt === undefined ? undefined : Math.floor(validators.modifiedAt / 1000)
  const read = method === "GET" || method === "HEAD"
  if (ifMatch != null) {
    if (!names(ifMatch, validators, "strong")) return "failed"
  } else if (ifUnmodifiedSince != null && seconds !== undefined) {
    const since = secondsOf(ifUnmodifiedSince)
    if (since !== undefined && seconds > since) return "failed"
  }
  if (ifNoneMatch != null) {
    if (names(ifNoneMatch, validators, "weak")) return read ? "not-modified" : "failed"
  } else if (read && ifModifiedSince != null && seconds !== undefined) {
    const since = secondsOf(ifModifiedSince)
    if (since !== undefined && seconds <= since) return "not-modified"
  }
  return "proceed"
}

/** The same for a resource that does not exist. */
export const evaluateAbsent = ({ ifMatch }: Conditions): "proceed" | "failed" =>
  ifMatch == null ? "proceed" : "failed"

/**
 * Whether `If-Range` lets the range apply (RFC 9110, 13.1.5): the same strong tag, or the same date if that identifies
 * the representation, which it does once the second of the change is over.
 */
export const rangeApplies = (ifRange: string | null, { etag, modifiedAt }: Validators, now: number): boolean => {
  if (ifRange === null) return true
  if (ifRange.includes('"')) return ifRange.trim() === etag
  if (modifiedAt === undefined) return false
  const seconds = Math.floor(modifiedAt / 1000)
  return secondsOf(ifRange) === seconds && now >= (seconds + 1) * 1000
}

/** Whether a list of entity tags, or `*`, names one; which one it is, is asked only of a list. */
const names = (header: string, validators: Validators, comparison: "strong" | "weak"): boolean => {
  if (header.trim() === "*") return true
  const { etag } = validators
  return tagsOf(header).some((tag) => tag === etag || (comparison === "weak" && tag === `W/${etag}`))
}

/** The entity tags of a list, weak ones with their `W/`. */
export const tagsOf = (header: string): ReadonlyArray<string> => header.match(/(?:W\/)?"[^"]*"/g) ?? []

/** RFC 9110, 5.6.1.2: empty members of a list do not count. */
const tagList = /^[\s,]*(?:W\/)?"[^"]*"[\s]*(?:,\s*(?:(?:W\/)?"[^"]*"\s*)?)*$/

const secondsOf = (date: string): number | undefined => {
  if (!httpDate.test(date.trim())) return undefined
  // The form of `asctime()` does not say that it is in UTC.
  const millis = Date.parse(date.trim().endsWith("GMT") ? date : `${date} GMT`)
  return Number.isNaN(millis) ? undefined : Math.floor(millis / 1000)
}

/** The three forms of RFC 9110, 5.6.7; anything else is no date, whatever `Date.parse` makes of it. */
const httpDate =
  /^(?:[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/
