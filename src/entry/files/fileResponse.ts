import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { openFile } from "../../programs/files/openFile.ts"
import { expiresOf } from "../../programs/files/storeFile.ts"
import { brokenCondition, conditionsOf } from "../../services/base/model/Preconditions.ts"
import { FileUsage } from "../../services/files/FileUsage.ts"
import { parseRange } from "../../services/files/model/ByteRange.ts"
import { entityTagOf, type Selected, select } from "../../services/files/model/Representation.ts"
import type { ObjectInfo } from "../../services/files/ObjectStore.ts"
import { servableContentType } from "../../services/store/model/ContentType.ts"
import { acceptEncodingOf } from "../http/acceptEncoding.ts"
import { problem, toResponse } from "../http/problem.ts"
import { noSuchFile, refusing } from "./fileProblems.ts"

/** How often a file that changes between two reads of one request is opened again. */
const tries = 3

/** Answers GET and HEAD for a file: whole, in part, not modified, or refused. */
export const respond = (request: Request, owner: string, key: string, extra: Readonly<Record<string, string>> = {}) => {
  const method = request.method === "HEAD" ? "HEAD" : "GET"
  const broken = brokenCondition(conditionsOf(request.headers))
  if (broken !== undefined) return Effect.fail(problem("bad-header", broken))
  const attempt = Effect.gen(function* () {
    const expected = method === "GET" ? parseRange(request.headers.get("Range") ?? "") : undefined
    const found = yield* openFile(owner, key, expected)
    if (Option.isNone(found)) return yield* Effect.fail(noSuchFile)
    const opened = found.value
    const { info } = opened
    const now = yield* Clock.currentTimeMillis
    const selected = select(info, method, request.headers, acceptEncodingOf(request), now)
    const headers = { ...headersOf(info, selected), ...extra }
    if (selected.status === 412 || selected.status === 416) {
      yield* opened.close
      const { "Cache-Control": _, ...rest } = headers
      return toResponse(request, refusalOf(selected), rest)
    }
    if (selected.slice === undefined || method === "HEAD") {
      yield* opened.close
      return new Response(null, { status: selected.status, headers })
    }
    const body = yield* opened.read(selected.coding, selected.slice)
    ;(yield* FileUsage).count(owner, 0, selected.slice.length)
    return new Response(ofLength(body, selected.slice.length), {
      status: selected.status,
      headers,
      encodeBody: "manual"
    })
  })
  return refusing(
    Effect.retry(attempt, {
      times: tries - 1,
      while: (error) => error._tag === "ObjectStoreError" && error.reason === "Changed"
    })
  )
}

/** What a write answers with, and a read begins with. */
export const infoHeaders = (info: ObjectInfo): Record<string, string> => ({
  ETag: entityTagOf(info, "identity"),
  "Last-Modified": new Date(info.uploadedAt).toUTCString(),
  "Larder-Bytes": String(info.bytes),
  "Larder-Stored-Bytes": String(info.storedBytes)
})

const headersOf = (info: ObjectInfo, selected: Selected): Record<string, string> => {
  const { coding, etag, size, slice, status } = selected
  const expiresAt = expiresOf(info)
  const headers: Record<string, string> = {
    ...infoHeaders(info),
    ETag: etag,
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    // What somebody uploaded runs no script in the origin of this Worker's own pages.
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
  }
  if (info.coding === "gzip") headers.Vary = "Accept-Encoding"
  if (expiresAt !== undefined) headers.Expires = new Date(expiresAt).toUTCString()
  if (status === 416) headers["Content-Range"] = `bytes */${size}`
  if (slice === undefined) return headers
  headers["Content-Type"] = servableContentType(info.contentType)
  headers["Content-Length"] = String(slice.length)
  if (coding === "gzip") headers["Content-Encoding"] = "gzip"
  if (status === 206) headers["Content-Range"] = `bytes ${slice.offset}-${slice.offset + slice.length - 1}/${size}`
  return headers
}

const refusalOf = ({ size, status }: Selected) =>
  status === 412
    ? problem("condition-failed", "the file is not the one that the condition names")
    : problem("range-not-satisfiable", `the file has ${size} bytes`)

/** A stream whose length the runtime announces, where it has that notion; Node's tests have not. */
const ofLength = (body: ReadableStream<Uint8Array>, length: number): ReadableStream<Uint8Array> => {
  if (typeof FixedLengthStream === "undefined") return body
  const { readable, writable } = new FixedLengthStream(length)
  body.pipeTo(writable).catch(() => undefined)
  return readable
}
