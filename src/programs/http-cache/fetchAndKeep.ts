import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import * as Answer from "../../services/http-cache/model/Answer.ts"
import * as CacheStatus from "../../services/http-cache/model/CacheStatus.ts"
import * as Preconditions from "../../services/http-cache/model/Preconditions.ts"
import * as Reuse from "../../services/http-cache/model/Reuse.ts"
import type { StoredResponse } from "../../services/http-cache/model/StoredResponse.ts"
import * as Storing from "../../services/http-cache/model/Storing.ts"
import { Origin, type OriginError } from "../../services/http-cache/Origin.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"
import { answerStored } from "./answerStored.ts"
import { askOrigin, type OriginAnswer } from "./askOrigin.ts"
import { completePart } from "./completePart.ts"
import { exchangeOf, type Fetched, keepHead, keepResponse } from "./keepResponse.ts"

/** Why the origin is asked, and what is stored already. */
export interface Forwarding {
  readonly why: CacheStatus.Forward
  /** Selected by the request, but not to be served without the origin's word, or only a part of what it asks for. */
  readonly stored?: StoredResponse
}

/** Asks the origin, only whether the stored response still holds where it can say so, and keeps what may be kept. */
export const fetchAndKeep = (
  key: string,
  request: Request,
  { stored, why }: Forwarding
): Effect.Effect<Fetched, OriginError, Origin | ResponseStore> =>
  Effect.gen(function* () {
    if (stored?.part !== undefined && request.method === "GET" && !request.headers.has("range")) {
      const completed = yield* completePart(key, request, stored)
      if (Option.isSome(completed)) return completed.value
    }
    const validated =
      stored !== undefined && request.method === "GET" && Preconditions.canValidate(stored) ? stored : undefined
    const headers = validated === undefined ? request.headers : Preconditions.validating(request.headers, validated)
    const answer = yield* Effect.either(askOrigin(request, headers))
    if (answer._tag === "Left") {
      const stale = yield* instead("unreachable", request, stored)
      if (Option.isSome(stale)) return finished(stale.value)
      if (stored === undefined || stored.reuse === "stale") return yield* Effect.fail(answer.left)
      return finished(yield* unvalidated(why))
    }
    const { response } = answer.right
    if (Reuse.isError(response.status)) {
      const stale = yield* instead(response.status, request, stored)
      if (Option.isSome(stale)) {
        yield* Effect.promise(async () => response.body?.cancel())
        return finished(stale.value)
      }
    }
    if (request.method === "HEAD") return yield* keepHead(key, answer.right, why, Option.fromNullable(stored))
    if (validated !== undefined && response.status === 304) {
      const answered = yield* freshen(key, request, answer.right, why, validated)
      return Option.isSome(answered) ? finished(answered.value) : yield* fetchAndKeep(key, request, { why: "uri-miss" })
    }
    return yield* keepResponse(key, answer.right, why)
  })

const finished = (response: Response): Fetched => ({ response, kept: Effect.void })

/** The stored response with what a 304 says of it. One that may not be kept any more still answers this request. */
const freshen = (
  key: string,
  request: Request,
  answer: OriginAnswer,
  why: CacheStatus.Forward,
  stored: StoredResponse
) =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const store = yield* ResponseStore
    const fresh = Storing.freshened(stored, exchangeOf(answer), policy)
    yield* fresh.keep ? store.keep(key, fresh.stored) : store.drop(key)
    const status = { forward: why, status: 304, stored: fresh.keep }
    return yield* answerStored(fresh.stored, request, CacheStatus.format(policy.name, status))
  })

/** A stale response that may stand in for the origin. */
const instead = (failure: "unreachable" | number, request: Request, stored: StoredResponse | undefined) =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const now = yield* Clock.currentTimeMillis
    if (stored === undefined || !Reuse.standsIn(stored, failure, policy.staleWhenUnreachable, now))
      return Option.none<Response>()
    const status = {
      forward: "stale" as const,
      detail: "stale-if-error",
      ...(failure === "unreachable" ? {} : { status: failure })
    }
    return yield* answerStored(stored, request, CacheStatus.format(policy.name, status))
  })

/** What must be validated and cannot be is no answer (RFC 9111, 5.2.2.2). */
const unvalidated = (why: CacheStatus.Forward) =>
  Effect.map(HttpCacheSettings, ({ policy }) => {
    const headers = new Headers()
    CacheStatus.append(headers, CacheStatus.format(policy.name, { forward: why, detail: "unreachable" }))
    return new Response(null, { status: 504, headers })
  })

/** A request that the cache has no part in. */
export const passOn = (request: Request, why: CacheStatus.Forward): Effect.Effect<Response, OriginError, Origin> =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const response = yield* (yield* Origin).fetch(request)
    return Answer.passed(response, response.body, CacheStatus.format(policy.name, { forward: why }), policy)
  })
