import type { TraceOperation, TraceRow } from "./Trace.ts"

/** An HTTP request as a server logged it. */
export interface LoggedRequest {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly method: string
  /** Path and query, or an absolute URL, whose host is the one that counts. */
  readonly target: string
  /** The host that was asked, where the log has it beside the target. */
  readonly host?: string | undefined
  readonly status?: number | undefined
  /** Of the response. */
  readonly responseBytes?: number | undefined
  /** Of the value that is stored under the key, where the log has that. */
  readonly valueBytes?: number | undefined
  readonly client?: string | undefined
  /** Milliseconds. */
  readonly ttl?: number | undefined
}

/** What the log's methods do to a cache; others are no requests to one. `PURGE` and `BAN` are Varnish's. */
const operations: ReadonlyMap<string, TraceOperation> = new Map([
  ["GET", "read"],
  ["HEAD", "read"],
  ["PUT", "write"],
  ["PATCH", "write"],
  ["POST", "write"],
  ["DELETE", "delete"],
  ["PURGE", "delete"],
  ["BAN", "delete"]
])

export const httpOperationOf = (method: string): TraceOperation | undefined => operations.get(method.toUpperCase())

/**
 * The request as a row of a trace; undefined for none that a cache would see; `"refused"` for a write that changed
 * nothing: 4xx, 5xx, or sent elsewhere (301, 307, 308). What a read answers with 404 or 410 is absent. A response's
 * bytes are the value's only where it is the whole answer to a GET: not of a write, a HEAD, a part or an error.
 */
export const rowOf = (request: LoggedRequest): TraceRow | "refused" | undefined => {
  const operation = httpOperationOf(request.method)
  const key = keyOf(request.target, request.host)
  if (operation === undefined || key === undefined) return undefined
  const { at, client, responseBytes, status = 200, ttl, valueBytes } = request
  const refused = status >= 400 || status === 301 || status === 307 || status === 308
  if (operation !== "read" && refused) return "refused"
  const session = client === "" || client === "-" ? undefined : client
  const whole = request.method.toUpperCase() === "GET" && wholeAnswers.has(status)
  const size = operation === "delete" ? undefined : (valueBytes ?? (whole ? responseBytes : undefined))
  return {
    at,
    key,
    size,
    operation,
    session,
    ...(ttl === undefined ? {} : { ttl }),
    ...(operation === "read" && (status === 404 || status === 410) ? { absent: true } : {})
  }
}

const wholeAnswers: ReadonlySet<number> = new Set([200, 203, 300, 301, 302, 303, 307, 308])

const absolute = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)([^#]*)/i

/** Host, path and query; without its fragment, and without the ports that the schemes imply. */
const keyOf = (target: string, host: string | undefined): string | undefined => {
  const [, authority, rest] = absolute.exec(target) ?? []
  const path = rest ?? target.replace(/#.*$/, "")
  const name = hostOf(authority === undefined || authority === "" ? host : authority)
  if (authority !== undefined) return `${name}${path.startsWith("/") ? "" : "/"}${path}`
  return path === "" || path === "*" || path === "-" ? undefined : `${name}${path}`
}

const hostOf = (host: string | undefined): string =>
  host === undefined || host === "-" || host === "_" ? "" : host.toLowerCase().replace(/\.?(:(80|443))?$/, "")
