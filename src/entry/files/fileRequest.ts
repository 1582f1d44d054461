import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { tagsOf } from "../../services/base/model/Preconditions.ts"
import { FileSettings, quotaOf } from "../../services/files/FileSettings.ts"
import { FileUsage } from "../../services/files/FileUsage.ts"
import { FileUsers } from "../../services/files/FileUsers.ts"
import { brokenKeyRule, userIdOf } from "../../services/files/model/FileKey.ts"
import type { WriteCondition } from "../../services/files/ObjectStore.ts"
import { brokenContentTypeRule } from "../../services/store/model/ContentType.ts"
import { WebRequest } from "../http/handlers.ts"
import { decodedSegment, maxTtlSeconds } from "../http/parameters.ts"
import { problem } from "../http/problem.ts"
import { refusing } from "./fileProblems.ts"

/** Counts a request against the quota of the owner of its key. */
export const takeFrom = (owner: string) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    yield* refusing((yield* FileUsage).takeRequest(owner, quotaOf(yield* FileSettings), now))
    return owner
  })

/** The API key that this request carries, which is known to be valid, as users have it. */
export const callersId = Effect.map(WebRequest, (request) => userIdOf(request.headers.get("X-API-KEY") ?? ""))

/** The owner of what this request is about. */
export const callersOwner = Effect.flatMap(Effect.zip(callersId, FileUsers), ([id, users]) =>
  Effect.flatMap(refusing(users.ownerOf(id)), takeFrom)
)

const filesPrefix = "/api/v1/files/"

/**
 * The file that the path names, percent-decoded: `a%2Fb` and `a/b` are the same. URL parsers take segments `.` and `..`
 * out of a path before it is sent, and the runtime does so once more: those that are left were encoded.
 */
export const keyOf = (request: Request) => {
  const { pathname } = new URL(request.url)
  const key = decodedSegment(pathname.slice(filesPrefix.length))
  if (key === undefined) return Effect.fail(problem("bad-key", "the path holds a percent escape that is not UTF-8"))
  return checkedKey(key)
}

export const checkedKey = (key: string) => {
  const rule = brokenKeyRule(key)
  return rule === undefined ? Effect.succeed(key) : Effect.fail(problem("bad-key", rule))
}

/** Refuses parameters that mean nothing here. */
export const noParameters = (request: Request, known: ReadonlyArray<string> = []) => {
  const strange = [...new URL(request.url).searchParams.keys()].find((name) => !known.includes(name))
  return strange === undefined
    ? Effect.void
    : Effect.fail(problem("bad-parameter", `${strange}: there is no such parameter here`))
}

/** `?ttl=` in whole seconds, as a moment. */
export const expiryOf = (request: Request, now: number) => {
  const values = new URL(request.url).searchParams.getAll("ttl")
  if (values.length === 0) return Effect.succeed(undefined)
  const seconds = values.length === 1 && /^\d{1,8}$/.test(values[0]!) ? Number(values[0]) : 0
  return seconds < 1 || seconds > maxTtlSeconds
    ? Effect.fail(problem("bad-parameter", `ttl is one whole number of seconds from 1 to ${maxTtlSeconds}`))
    : Effect.succeed(now + seconds * 1000)
}

export const contentTypeOf = (request: Request) => {
  const type = request.headers.get("Content-Type") ?? "application/octet-stream"
  const rule = brokenContentTypeRule(type)
  return rule === undefined ? Effect.succeed(type) : Effect.fail(problem("bad-header", rule))
}

/** The length that a body declares. */
export const lengthOf = (request: Request): number | undefined => {
  const text = request.headers.get("Content-Length")
  if (text !== null && /^\d{1,15}$/.test(text)) return Number(text)
  return request.body === null ? 0 : undefined
}

/** What must hold for a write: `If-Match`, or `If-None-Match: *`. Either coding's tag names the file. */
export const conditionOf = ({ headers }: Request) => {
  for (const name of ["If-Modified-Since", "If-Unmodified-Since", "Content-Range"]) {
    if (headers.has(name)) return Effect.fail(problem("bad-header", `${name} means nothing with this method`))
  }
  const match = headers.get("If-Match")
  const noneMatch = headers.get("If-None-Match")
  if (noneMatch !== null) {
    return noneMatch.trim() === "*" && match === null
      ? Effect.succeed<WriteCondition>({ match: "none" })
      : Effect.fail(problem("bad-header", "If-None-Match is * here, and stands alone"))
  }
  if (match === null) return Effect.succeed(undefined)
  if (match.trim() === "*") return Effect.succeed<WriteCondition>({ match: "any" })
  const tags = tagsOf(match)
    .filter((tag) => !tag.startsWith("W/"))
    .map((tag) => tag.slice(1, -1).replace(/-gzip$/, ""))
  return Effect.succeed<WriteCondition>({ match: tags })
}
