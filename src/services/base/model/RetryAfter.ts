/** ANSI C's `asctime()`, the one date of HTTP that does not say that it is in UTC: RFC 9110, 5.6.7. */
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/

/** An HTTP date begins with a day of the week. */
const httpDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d$|^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, .* GMT$/

/**
 * Seconds from now that a `Retry-After` asks for, which is whole seconds or an HTTP date (RFC 9110, 10.2.3); 0 for a
 * date that is over, undefined where there is no header, or one that is neither.
 *
 * @param now milliseconds since the epoch
 */
export const retryAfterSeconds = (header: string | null, now: number): number | undefined => {
  const text = header?.trim() ?? ""
  if (/^\d+$/.test(text)) return Number(text)
  if (!httpDate.test(text)) return undefined
  const at = Date.parse(asctime.test(text) ? `${text} GMT` : text)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000))
}
