/** Of requests under way. */
const ids = new WeakMap<Request, string>()

let isolate: string | undefined
let count = 0

/** Visible ASCII, as in other systems' ids. */
const isId = (text: string | null): text is string => text !== null && /^[\x21-\x7e]{1,128}$/.test(text)

/**
 * What a request is called in its reply, in problems and in the log: the client's `X-Request-Id` where it is 1 to 128
 * visible ASCII characters, else Cloudflare's ray, else one of this isolate's own.
 */
export const requestIdOf = (request: Request): string => {
  let id = ids.get(request)
  if (id === undefined) {
    id = idOf(request.headers)
    ids.set(request, id)
  }
  return id
}

/** The header of every reply. */
export const requestIdHeader = "X-Request-Id"

const idOf = (headers: Headers): string => {
  const given = headers.get(requestIdHeader)
  if (isId(given)) return given
  const ray = headers.get("CF-Ray")
  if (isId(ray)) return ray
  // No randomness before the first request: the runtime has none in its global scope.
  isolate ??= crypto.randomUUID().slice(0, 13)
  return `${isolate}-${(count++).toString(36)}`
}
