import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import * as Answer from "../../services/http-cache/model/Answer.ts"
import type { Tier } from "../../services/http-cache/model/CacheStatus.ts"
import type { StoredResponse } from "../../services/http-cache/model/StoredResponse.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"

/**
 * The answer to a request from a stored response that it selects. None when the body is gone from the tiers, or when the
 * part that is stored does not hold what is asked for. `status`: the member for `Cache-Status`.
 */
export const answerStored = (
  stored: StoredResponse,
  request: Request,
  status: string | ((tier: Tier) => string)
): Effect.Effect<Option.Option<Response>, never, ResponseStore> =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const store = yield* ResponseStore
    const now = yield* Clock.currentTimeMillis
    const want = Answer.wanted(stored, request.method, request.headers, now)
    if (want.kind === "more") return Option.none()
    const body = Answer.needsBody(stored, want, request.method) ? yield* store.body(stored) : undefined
    if (body !== undefined && Option.isNone(body)) return Option.none()
    const member = typeof status === "string" ? status : status(body?.value.tier ?? "memory")
    return Option.some(Answer.build(stored, want, body?.value.bytes ?? null, { now, policy, status: member }))
  })
