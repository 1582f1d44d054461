import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import * as CacheStatus from "../../services/http-cache/model/CacheStatus.ts"
import * as Invalidation from "../../services/http-cache/model/Invalidation.ts"
import * as Preconditions from "../../services/http-cache/model/Preconditions.ts"
import { ofRequest, type RequestDirectives } from "../../services/http-cache/model/RequestDirectives.ts"
import { verdict } from "../../services/http-cache/model/Reuse.ts"
import * as Selection from "../../services/http-cache/model/Selection.ts"
import { remaining, type StoredResponse } from "../../services/http-cache/model/StoredResponse.ts"
import type { Origin, OriginError } from "../../services/http-cache/Origin.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"
import type { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import { answerStored } from "./answerStored.ts"
import { type Forwarding, fetchAndKeep, passOn } from "./fetchAndKeep.ts"
import { invalidateAfter } from "./invalidateAfter.ts"
import { joinFetch } from "./joinFetch.ts"
import { keepBehind } from "./keepResponse.ts"

type Answered = Effect.Effect<Response, OriginError, Origin | ResponseStore | SingleFlight>

/** One request on its way through the cache, and whether it has waited for another's fetch already. */
interface Passage {
  readonly request: Request
  readonly key: string
  readonly directives: RequestDirectives
  readonly collapsed: boolean
}

/**
 * Answers a request from the cache, or asks the origin and keeps what may be kept: RFC 9111, with RFC 9110's conditions
 * and ranges, RFC 9213's targeted directives, RFC 5861's stale answers and RFC 9211's account of what happened.
 */
export const answerRequest = (request: Request): Answered =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    if (!Invalidation.isSafe(request.method)) return yield* invalidateAfter(request)
    if (request.method !== "GET" && request.method !== "HEAD") return yield* passOn(request, "method")
    const directives = ofRequest(request.headers)
    if (request.headers.has("upgrade")) return yield* passOn(request, "bypass")
    if (directives.noStore) return yield* passOn(request, "request")
    if (Preconditions.isForOrigin(request.headers)) return yield* passOn(request, "bypass")
    return yield* lookUp({ request, key: policy.key(request.url), directives, collapsed: false })
  })

const lookUp = (passage: Passage): Answered =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const store = yield* ResponseStore
    const { directives, request } = passage
    const variants = yield* store.variants(passage.key)
    const stored = Selection.select(variants, request.headers)
    if (stored === undefined) return yield* forward(passage, { why: variants.length === 0 ? "uri-miss" : "vary-miss" })
    const now = yield* Clock.currentTimeMillis
    const found = verdict(stored, directives, now)
    if (found.use !== "validate") {
      const ttl = remaining(stored, now)
      const status = (hit: CacheStatus.Tier) =>
        CacheStatus.format(policy.name, { hit, ttl, collapsed: passage.collapsed })
      const served = yield* answerStored(stored, request, status)
      if (Option.isNone(served))
        return yield* forward(passage, stored.part === undefined ? { why: "uri-miss" } : { why: "partial", stored })
      if (found.use === "serve-and-revalidate") yield* revalidateBehind(passage, stored)
      return served.value
    }
    return yield* forward(passage, { why: found.because, stored })
  })

/** A GET for the whole response may wait for one that is under way, once; anything else asks by itself. */
const forward = (passage: Passage, forwarding: Forwarding): Answered => {
  const { collapsed, directives, request } = passage
  if (directives.onlyIfCached) return notCached(forwarding.why)
  const shares =
    !collapsed &&
    request.method === "GET" &&
    !directives.noCache &&
    !request.headers.has("range") &&
    !request.headers.has("authorization")
  if (!shares) return alone(passage, forwarding)
  return Effect.flatMap(joinFetch(passage.key, request, forwarding), (own) =>
    Option.isSome(own) ? Effect.succeed(own.value) : lookUp({ ...passage, collapsed: true })
  )
}

const alone = (passage: Passage, forwarding: Forwarding): Answered =>
  Effect.gen(function* () {
    const { kept, response } = yield* fetchAndKeep(passage.key, passage.request, forwarding)
    yield* keepBehind(kept)
    return response
  })

/** Nobody waits for it: what it brings is for those who come later. */
const revalidateBehind = (passage: Passage, stored: StoredResponse) =>
  keepBehind(
    joinFetch(passage.key, passage.request, { why: "stale", stored }).pipe(
      Effect.flatMap((own) => Effect.promise(async () => Option.getOrUndefined(own)?.body?.cancel())),
      Effect.catchAll((error) => Effect.logDebug("a revalidation behind an answer failed", error))
    )
  )

const notCached = (why: CacheStatus.Forward): Answered =>
  Effect.map(HttpCacheSettings, ({ policy }) => {
    const headers = new Headers()
    CacheStatus.append(headers, CacheStatus.format(policy.name, { forward: why, detail: "only-if-cached" }))
    return new Response(null, { status: 504, headers })
  })
