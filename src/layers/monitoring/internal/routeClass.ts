/** Names of routes that one isolate keeps apart: the first segments of paths, by method. */
const mostClasses = 64

const entry = /^\/api\/v1\/cache\/[^/]+\/./
const segment = /^\/(?:api\/v1\/)?([a-z][a-z-]{0,23})(?:\/|\?|$)/

/**
 * The class of a request, `GET cache`, for counting: bounded, whatever is asked for. Refused ones (401, 404) could have
 * any path and count as `other`.
 */
export const makeRouteClass = (): ((method: string, url: string, status: number) => string) => {
  const known = new Set<string>()
  return (method, url, status) => {
    if (status === 401 || status === 404) {
      if (!entry.test(pathOf(url))) return "other"
    }
    const path = pathOf(url)
    const name = path.startsWith("/s/") ? "share" : (segment.exec(path)?.[1] ?? "page")
    const found = `${method} ${name}`
    if (known.has(found)) return found
    if (known.size >= mostClasses) return "other"
    known.add(found)
    return found
  }
}

const pathOf = (url: string): string => {
  const at = url.indexOf("/", url.indexOf("//") + 2)
  return at === -1 ? "/" : url.slice(at)
}
