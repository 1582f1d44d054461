import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { negotiate } from "../../services/base/model/AcceptEncoding.ts"
import {
  brokenCondition,
  type Conditions,
  conditionsOf,
  evaluate,
  writeConditionsOf
} from "../../services/base/model/Preconditions.ts"
import { AccessSettings } from "../../services/settings/AccessSettings.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { servableContentType } from "../../services/store/model/ContentType.ts"
import { entityTag } from "../../services/store/model/EntityTag.ts"
import type { Entry } from "../../services/store/model/Entry.ts"
import { codingOf } from "../../services/store/model/ValueCoding.ts"
import { type Acknowledgement, type Lookup, Store, type StoreError } from "../../services/store/Store.ts"
import { type Accepts, StoredForm } from "../../services/store/StoredForm.ts"
import { acceptEncodingOf } from "../http/acceptEncoding.ts"
import type { Grant, Scope } from "../http/authorize.ts"
import { age, cacheStatus, expiresOf, lastModifiedOf, serverTiming } from "../http/cacheHeaders.ts"
import { isoTime } from "../http/isoTime.ts"
import { decodedSegment, keyFromPath, unknownParameter, writeOptions } from "../http/parameters.ts"
import { bodyOf, Problem, problem, toResponse, wrongMethod } from "../http/problem.ts"
import { type BodyLimits, readBody } from "../http/requestBody.ts"
import { closedTo } from "./applicationData.ts"

type Answer = Effect.Effect<Response, Problem | StoreError>

const methods = ["GET", "HEAD", "PUT", "DELETE"]

/** What a request to an entry needs its key to allow. */
export const scopeOf = (method: string): Scope => (method === "GET" || method === "HEAD" ? "read" : "write")

/**
 * The hot route, `/api/v1/cache/{collection}/{key}`: raw values, straight from the store. Declared for clients and
 * documentation in `apiEntries.ts`.
 */
export const make = Effect.map(Effect.all([Store, Settings, AccessSettings]), ([store, settings, { bodyDeadline }]) => {
  const limits = { bytes: settings.maxValueBytes, deadline: bodyDeadline }
  return (request: Request, url: URL, rawCollection: string, rawKey: string, caller: Grant): Answer => {
    const collection = settings.collections.get(decodedSegment(rawCollection) ?? "")
    if (collection === undefined) return Effect.fail(noSuchCollection(rawCollection))
    const closed = closedTo(collection, caller, scopeOf(request.method) === "write")
    if (closed !== undefined) return Effect.fail(closed)
    const key = keyFromPath(rawKey)
    if (key._tag === "Left") return Effect.fail(key.left)
    const unknown = unknownParameter(url.searchParams, request.method === "PUT" ? putParameters : noParameters)
    if (unknown !== undefined) return Effect.fail(unknown)
    switch (request.method) {
      case "GET":
      case "HEAD": {
        const broken = brokenCondition(conditionsOf(request.headers))
        if (broken !== undefined) return Effect.fail(problem("bad-header", broken))
        return get(store, request, collection, key.right)
      }
      case "PUT":
        return put(store, limits, request, url, collection, key.right)
      case "DELETE":
        return remove(store, request, collection, key.right)
      default:
        return Effect.fail(wrongMethod(request, methods))
    }
  }
})

export const noSuchCollection = (name: string): Problem =>
  problem("no-such-collection", `"${name}" is not a collection of this Worker; the collection "default" always exists`)

const get = (store: Context.Tag.Service<Store>, request: Request, collection: Collection, key: string): Answer =>
  Effect.clockWith((clock) => {
    const asked = clock.unsafeCurrentTimeMillis()
    return Effect.map(asAccepted(store.get(collection, key), collection, request), (lookup) => {
      return answer(request, lookup, asked, clock.unsafeCurrentTimeMillis())
    })
  })

/** The codings in which a request takes what is stored compressed; undefined where it takes none. */
export const acceptedBy = ({ policy }: Collection, request: Request): Accepts | undefined => {
  const header = policy.compress ? acceptEncodingOf(request) : null
  if (header === null) return undefined
  return (coding) => (coding === "gzip" || coding === "br") && negotiate(header, [coding]) === coding
}

const asAccepted = <A, E>(read: Effect.Effect<A, E>, collection: Collection, request: Request): Effect.Effect<A, E> => {
  const accepts = acceptedBy(collection, request)
  return accepts === undefined ? read : Effect.provideService(read, StoredForm, accepts)
}

/** A tag for each coding (RFC 9110, 8.8.3.3): that of the value as it was given, and what it is encoded in. */
const tagOf = (entry: Entry, coding: string | undefined): string =>
  coding === undefined || coding === "identity" ? entityTag(entry) : `${entityTag(entry).slice(0, -1)}-${coding}"`

/** In a condition of a write, the tag of a coding that was read stands for the value itself. */
const withoutCodings = (tags: string | null | undefined): string | null =>
  tags?.replaceAll(/(?<="[\w-]{22})-(?:gzip|br)(?=")/g, "") ?? null

/** @param asked,now milliseconds since the epoch when the request came, and when the store had answered */
export const answer = (request: Request, lookup: Lookup, asked: number, now: number): Response => {
  const { entry } = lookup
  const status = cacheStatus(lookup, now)
  const timing = serverTiming(lookup.tier, now - asked)
  if (entry === undefined) return toResponse(request, absent, { "Cache-Status": status, "Server-Timing": timing })
  const { coding } = lookup
  const tag = tagOf(entry, coding)
  const validators: Record<string, string> = {
    "Cache-Status": status,
    "Server-Timing": timing,
    ETag: tag,
    Age: age(lookup, now),
    "Cache-Control": "private, no-cache"
  }
  if (coding !== undefined) validators.Vary = "Accept-Encoding"
  const expires = expiresOf(entry)
  if (expires !== undefined) validators.Expires = expires
  const modified = lastModifiedOf(entry)
  if (modified !== undefined) validators["Last-Modified"] = modified
  switch (evaluate(conditionsOf(request.headers), "GET", { etag: tag, modifiedAt: entry.stamp.wall || undefined })) {
    case "failed":
      return toResponse(request, changed, validators)
    case "not-modified":
      return new Response(null, { status: 304, headers: validators })
    case "proceed":
      break
  }
  const headers: Record<string, string> = {
    ...validators,
    "Content-Type": servableContentType(entry.contentType),
    "X-Content-Type-Options": "nosniff"
  }
  const value = entry.value as Uint8Array<ArrayBuffer>
  if (coding !== undefined && coding !== "identity") {
    headers["Content-Type"] = codingOf(entry.contentType)?.contentType ?? entry.contentType
    headers["Content-Encoding"] = coding
    if (request.method === "GET") return new Response(value, { headers, encodeBody: "manual" })
  }
  if (request.method === "GET") return new Response(value, { headers })
  headers["Content-Length"] = String(entry.value.byteLength)
  return new Response(null, { headers })
}

const changed = bodyOf("condition-failed", "the entry under this key is not as If-Match or If-Unmodified-Since has it")

const absent = bodyOf("no-such-entry", "nothing is stored under this key, or it has expired")

const putParameters: ReadonlySet<string> = new Set(["ttl", "tags"])
const noParameters: ReadonlySet<string> = new Set()

/** What must hold for a write, or the refusal of what nobody could judge. */
const conditionOf = ({ headers }: Request): { readonly condition?: Conditions } | Problem => {
  const condition = writeConditionsOf(headers)
  if (condition === undefined) return {}
  const broken = brokenCondition(condition)
  if (broken !== undefined) return problem("bad-header", broken)
  const { ifMatch, ifNoneMatch } = condition
  return { condition: { ...condition, ifMatch: withoutCodings(ifMatch), ifNoneMatch: withoutCodings(ifNoneMatch) } }
}

const remove = (store: Context.Tag.Service<Store>, request: Request, collection: Collection, key: string): Answer => {
  const options = conditionOf(request)
  return options instanceof Problem
    ? Effect.fail(options)
    : timed("delete", store.delete(collection, key, options), (acknowledged, timing) =>
        written(acknowledged, 204, timing)
      )
}

const put = (
  store: Context.Tag.Service<Store>,
  limits: BodyLimits,
  request: Request,
  url: URL,
  collection: Collection,
  key: string
): Answer => {
  const refused = refusedPut(request.headers)
  if (refused !== undefined) return Effect.fail(refused)
  const conditional = conditionOf(request)
  if (conditional instanceof Problem) return Effect.fail(conditional)
  const options = writeOptions(url.searchParams, request.headers)
  if (options._tag === "Left") return Effect.fail(options.left)
  return Effect.flatMap(readBody(request, limits), (value) =>
    timed("store", store.set(collection, key, value, { ...options.right, ...conditional }), (result, timing) => {
      const response = written(result.acknowledged, result.replaced ? 204 : 201, timing, result.expiresAt)
      if (conditional.condition !== undefined) {
        const contentType = servableContentType(options.right.contentType)
        response.headers.set("ETag", entityTag({ contentType, value }))
      }
      return response
    })
  )
}

/** What would make a PUT something else than "keep these bytes" (RFC 9110, 14.5, 8.4) is refused, not ignored. */
const refusedPut = (headers: Headers): Problem | undefined => {
  if (headers.has("Content-Range")) {
    return problem("bad-header", "a PUT keeps its body whole; Content-Range is not supported")
  }
  const encoding = headers.get("Content-Encoding")
  return encoding === null || encoding === "identity"
    ? undefined
    : problem("unsupported-media-type", "send the bytes as they are to be kept, without Content-Encoding")
}

/** 202 says that the write is kept, but not yet where it belongs; the header says how. */
const written = (
  acknowledged: Acknowledgement,
  status: 201 | 204,
  timing: string,
  expiresAt = Number.POSITIVE_INFINITY
): Response =>
  new Response(null, {
    status: acknowledged === "stored" ? status : 202,
    headers: {
      "Larder-Acknowledged": acknowledged,
      "Server-Timing": timing,
      ...(isoTime(expiresAt) === null ? {} : { Expires: new Date(expiresAt).toUTCString() })
    }
  })

const timed = <A, E>(
  step: string,
  effect: Effect.Effect<A, E>,
  respond: (result: A, timing: string) => Response
): Effect.Effect<Response, E> =>
  Effect.clockWith((clock) => {
    const asked = clock.unsafeCurrentTimeMillis()
    return Effect.map(effect, (result) => respond(result, serverTiming(step, clock.unsafeCurrentTimeMillis() - asked)))
  })
