import { makeTopKeys, type TopKey } from "../../services/monitoring/model/TopKeys.ts"

/** A request that was answered. */
export interface AnsweredRequest {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly status: number
  readonly tier: string
  readonly millis: number
  /** The last segment of the problem's type. */
  readonly problem?: string
}

/** What this isolate answered lately. */
export interface Lately {
  readonly requests: () => ReadonlyArray<AnsweredRequest>
  /** Keys that were asked for most, as `collection/key` of their URLs. */
  readonly topKeys: (most: number) => ReadonlyArray<TopKey>
}

const mostRequests = 100
const mostCharacters = 200

/** One of so many hits in memory is looked at. */
const hitsPerSample = 32

const entryPrefix = "/api/v1/cache/"

/** `collection/key` of a URL of the hot route. */
const entryOf = (url: string): string | undefined => {
  const at = url.indexOf(entryPrefix)
  if (at === -1) return undefined
  const end = url.indexOf("?", at)
  const rest = url.slice(at + entryPrefix.length, end === -1 ? undefined : end)
  return rest.includes("/") && !rest.endsWith("/batch") ? rest.slice(0, mostCharacters) : undefined
}

export const make = () => {
  const keys = makeTopKeys()
  const requests: Array<AnsweredRequest> = []
  let hits = 0
  const lately: Lately = { requests: () => requests, topKeys: keys.top }
  return {
    lately,
    hit: (url: string): void => {
      hits += 1
      if (hits % hitsPerSample !== 0) return
      const entry = entryOf(url)
      if (entry !== undefined) keys.add(entry, hitsPerSample)
    },
    ended: (request: Request, response: Response, millis: number, now: number, problem?: string): void => {
      const { pathname } = new URL(request.url)
      requests.unshift({
        at: now,
        method: request.method,
        path: pathname.slice(0, mostCharacters),
        status: response.status,
        tier: /detail=(\w+)/.exec(response.headers.get("Cache-Status") ?? "")?.[1] ?? "-",
        millis,
        ...(problem === undefined ? {} : { problem })
      })
      if (requests.length > mostRequests) requests.pop()
      const entry = response.status === 401 ? undefined : entryOf(request.url)
      if (entry !== undefined && (request.method === "GET" || request.method === "HEAD")) keys.add(entry)
    }
  }
}
