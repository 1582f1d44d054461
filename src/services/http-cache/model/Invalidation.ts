/** Methods that leave a resource as it is (RFC 9110, 9.2.1). */
const safe = new Set(["GET", "HEAD", "OPTIONS", "TRACE"])

const resolved = (reference: string, base: string): URL | undefined => {
  try {
    return new URL(reference, base)
  } catch {
    return undefined
  }
}

export const isSafe = (method: string): boolean => safe.has(method)

/**
 * The URLs whose stored responses an unsafe request has made wrong (RFC 9111, 4.4): its own, and those its response
 * points to, of the same origin only, so that nobody can empty another's cache. None after an error.
 */
export const targets = (
  url: string,
  response: { readonly status: number; readonly headers: Headers }
): ReadonlyArray<string> => {
  if (response.status < 200 || response.status >= 400) return []
  const own = new URL(url)
  const found = [url]
  for (const name of ["location", "content-location"]) {
    const field = response.headers.get(name)
    const target = field === null ? undefined : resolved(field, url)
    if (target?.origin === own.origin) found.push(target.href)
  }
  return found
}

/** Whether a POST's response is what a later GET of the same URL would bring (RFC 9110, 9.3.3). */
export const answersGet = (
  method: string,
  url: string,
  response: { readonly status: number; readonly headers: Headers }
): boolean => {
  const field = response.headers.get("content-location")
  if (method !== "POST" || response.status !== 200 || field === null) return false
  return resolved(field, url)?.href === new URL(url).href && explicit(response.headers)
}

/** A response to POST is never fresh by a guess. */
const explicit = (headers: Headers): boolean =>
  headers.has("expires") || /max-?age/i.test(headers.get("cache-control") ?? "")
