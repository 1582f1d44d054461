import type { Bytes } from "../EdgeResponses.ts"
import * as ByteRange from "./ByteRange.ts"
import * as CacheStatus from "./CacheStatus.ts"
import * as ContentRange from "./ContentRange.ts"
import { tellFront } from "./FrontHeaders.ts"
import type { HttpCachePolicy } from "./HttpCachePolicy.ts"
import * as Preconditions from "./Preconditions.ts"
import { ageOf, type Part, type StoredResponse } from "./StoredResponse.ts"
import { sliceStream } from "./sliceStream.ts"

/** What a request asks of a stored response. */
export type Wanted =
  | { readonly kind: "whole" }
  | { readonly kind: "not-modified" }
  | { readonly kind: "part"; readonly part: Part }
  | { readonly kind: "unsatisfiable" }
  /** The stored part does not hold it. */
  | { readonly kind: "more" }

const whole: Wanted = { kind: "whole" }
const more: Wanted = { kind: "more" }
const notModified: Wanted = { kind: "not-modified" }

/** RFC 9110, 13.2.2 and 14.2: conditions go before ranges, and only a GET has ranges. */
export const wanted = (stored: StoredResponse, method: string, headers: Headers, now: number): Wanted => {
  if (Preconditions.notModified(stored, headers, now)) return notModified
  const field = method === "GET" ? headers.get("range") : null
  const range = field === null ? undefined : ByteRange.parse(field)
  const applies = range !== undefined && stored.rangeable && Preconditions.rangeApplies(stored, headers, now)
  if (stored.part !== undefined) {
    const part = applies ? ByteRange.resolve(range, stored.part.size) : undefined
    return part !== undefined && ByteRange.within(part, stored.part) ? { kind: "part", part } : more
  }
  if (!applies || stored.status !== 200) return whole
  const part = ByteRange.resolve(range, stored.size)
  return part === undefined ? { kind: "unsatisfiable" } : { kind: "part", part }
}

/** Whether the answer has a body, so that it must be fetched from a tier. */
export const needsBody = (stored: StoredResponse, want: Wanted, method: string): boolean =>
  method !== "HEAD" && stored.size > 0 && (want.kind === "whole" || want.kind === "part")

const describesBody = ["content-length", "content-encoding", "content-range", "content-type"]

const headersOf = (stored: StoredResponse): Headers =>
  new Headers(stored.headers as ReadonlyArray<readonly [string, string]> as Array<[string, string]>)

/** The bytes of the representation that the body begins with: 0, or the first of the part that is stored. */
const bodyOf = (stored: StoredResponse, want: Wanted, bytes: Bytes): Bytes => {
  if (want.kind !== "part") return bytes
  const offset = stored.part?.first ?? 0
  const part = { ...want.part, first: want.part.first - offset, last: want.part.last - offset }
  return bytes instanceof Uint8Array ? bytes.subarray(part.first, part.last + 1) : sliceStream(bytes, part)
}

/** The response to a client from a stored one. `bytes`: the stored body, null where the answer has none. */
export const build = (
  stored: StoredResponse,
  want: Wanted,
  bytes: Bytes | null,
  { now, policy, status }: { readonly now: number; readonly policy: HttpCachePolicy; readonly status: string }
): Response => {
  const headers = headersOf(stored)
  headers.set("age", String(Math.max(0, Math.floor(ageOf(stored, now)))))
  CacheStatus.append(headers, status)
  tellFront(headers, stored, policy)
  const encodeBody = policy.encodeBody
  switch (want.kind) {
    case "not-modified":
      for (const name of describesBody) headers.delete(name)
      return new Response(null, { status: 304, headers })
    case "more":
    case "unsatisfiable":
      for (const name of describesBody) headers.delete(name)
      headers.set("content-range", `bytes */${stored.size}`)
      return new Response(null, { status: 416, headers })
    case "part": {
      headers.set("content-range", ContentRange.format(want.part))
      headers.set("content-length", String(want.part.last - want.part.first + 1))
      const body = bytes === null ? null : bodyOf(stored, want, bytes)
      return new Response(body as BodyInit | null, { status: 206, headers, encodeBody } as ResponseInit)
    }
    case "whole": {
      const { status: code, statusText } = stored
      return new Response(bytes as BodyInit | null, { status: code, statusText, headers, encodeBody } as ResponseInit)
    }
  }
}

/** A response on its way from the origin, with this cache's member in `Cache-Status`. `stored`: what is kept of it. */
export const passed = (
  response: Response,
  body: ReadableStream<Uint8Array> | null,
  status: string,
  policy: HttpCachePolicy,
  stored?: StoredResponse
): Response => {
  // A status that a Response may not have (an interim one, or one of an odd server) cannot be built anew.
  if (response.status < 200 || response.status > 599) return response
  const headers = new Headers(response.headers)
  CacheStatus.append(headers, status)
  tellFront(headers, stored, policy)
  const { status: code, statusText } = response
  const encodeBody = policy.encodeBody
  return new Response(body, { status: code, statusText, headers, encodeBody } as ResponseInit)
}
